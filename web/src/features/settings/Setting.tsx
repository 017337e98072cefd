import Box from '@mui/material/Box'
import type { ReactNode } from 'react'

export function Setting({ title, detail, children }: { title: string; detail?: string; children: ReactNode }) {
  return (
    <Box
      sx={{
        display: 'flex',
        flexWrap: 'wrap',
        alignItems: 'center',
        gap: 1.5,
        py: 1.25,
        '& + &': { borderTop: '1px solid', borderColor: 'ovt.line' },
      }}
    >
      <Box sx={{ flex: '1 1 180px' }}>
        <Box sx={{ fontWeight: 540, fontSize: '0.875rem' }}>{title}</Box>
        {detail && <Box sx={{ color: 'text.secondary', fontSize: '0.75rem' }}>{detail}</Box>}
      </Box>
      {children}
    </Box>
  )
}
