import Box from '@mui/material/Box'
import Typography from '@mui/material/Typography'
import type { SxProps, Theme } from '@mui/material/styles'
import { useId, type ReactNode } from 'react'

interface PanelProps {
  title?: ReactNode
  /** Beside the title, small: a count, an age. */
  note?: ReactNode
  actions?: ReactNode
  /** Without inner padding: for lists, tables and grids that reach the edge. */
  flush?: boolean
  /** Takes what is left of a page that fills the window. */
  grow?: boolean
  sx?: SxProps<Theme>
  children: ReactNode
}

/** A surface with a heading of its own: the unit that pages are laid out in. */
export function Panel({ title, note, actions, flush = false, grow = false, sx, children }: PanelProps) {
  const id = useId()
  return (
    <Box
      component="section"
      aria-labelledby={title ? id : undefined}
      sx={
        [
          {
            bgcolor: 'background.paper',
            border: '1px solid',
            borderColor: 'divider',
            borderRadius: 1,
            minWidth: 0,
            ...(grow && { flex: 1, minHeight: 0 }),
            display: 'flex',
            flexDirection: 'column',
            boxShadow: 'var(--ovt-palette-ovt-shadow)',
          },
          ...(Array.isArray(sx) ? (sx as SxProps<Theme>[]) : [sx]),
        ] as SxProps<Theme>
      }
    >
      {(title || actions) && (
        <Box sx={{ display: 'flex', alignItems: 'center', flexWrap: 'wrap', gap: 1, px: 2, pt: 1.25, pb: flush ? 1 : 0.5, minHeight: 40 }}>
          <Box sx={{ flex: '1 1 auto', display: 'flex', alignItems: 'baseline', gap: 1, minWidth: 0, maxWidth: '100%' }}>
            <Typography id={id} variant="h2" noWrap>
              {title}
            </Typography>
            {note && (
              <Typography variant="caption" color="textSecondary" component="div" noWrap>
                {note}
              </Typography>
            )}
          </Box>
          {actions}
        </Box>
      )}
      <Box
        sx={{
          p: flush ? 0 : 2,
          pt: flush ? 0 : title ? 1 : 2,
          flex: 1,
          minWidth: 0,
          minHeight: 0,
          ...(flush && { display: 'flex', flexDirection: 'column' }),
        }}
      >
        {children}
      </Box>
    </Box>
  )
}
