import Box from '@mui/material/Box'
import Typography from '@mui/material/Typography'
import { Inbox, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

interface EmptyStateProps {
  title: string
  detail?: ReactNode
  icon?: LucideIcon
  action?: ReactNode
}

/** Nothing to show, and why, and what one can do. */
export function EmptyState({ title, detail, icon: Icon = Inbox, action }: EmptyStateProps) {
  return (
    <Box sx={{ display: 'grid', justifyItems: 'center', textAlign: 'center', gap: 0.75, py: 5, px: 2 }}>
      <Box sx={{ color: 'text.secondary' }}>
        <Icon size={26} strokeWidth={1.6} aria-hidden />
      </Box>
      <Typography variant="h3" component="p">
        {title}
      </Typography>
      {detail && (
        <Typography variant="body2" color="textSecondary" component="div" sx={{ maxWidth: 480 }}>
          {detail}
        </Typography>
      )}
      {action}
    </Box>
  )
}
