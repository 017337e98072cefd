import Box from '@mui/material/Box'
import Typography from '@mui/material/Typography'
import { ArrowLeft } from 'lucide-react'
import type { ReactNode } from 'react'
import { TextLink } from './TextLink'

export interface Crumb {
  label: string
  to: string
}

interface PageProps {
  /** The document's title too. */
  title: string
  /** What stands in the heading, where it is more than the title's text. */
  heading?: ReactNode
  subtitle?: ReactNode
  crumbs?: Crumb[]
  actions?: ReactNode
  /** As high as the window, for a list that scrolls by itself. */
  fill?: boolean
  children: ReactNode
}

/** A page's frame: document title, heading, actions on the right, content in rows with even gaps. */
export function Page({ title, heading, subtitle, crumbs, actions, fill, children }: PageProps) {
  return (
    <Box
      sx={{
        display: 'flex',
        flexDirection: 'column',
        gap: 2,
        minWidth: 0,
        maxWidth: 2600,
        mx: 'auto',
        width: '100%',
        ...(fill && { height: 'calc(100dvh - 88px)', minHeight: 600 }),
      }}
    >
      <title>{`${title} · OpenVPN Telemetry`}</title>
      <Box component="header" sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'flex-end', gap: 1.5, minHeight: 38 }}>
        <Box sx={{ flex: { xs: '1 1 100%', sm: '1 1 240px' }, minWidth: 0 }}>
          {crumbs && <Crumbs crumbs={crumbs} />}
          <Typography variant="h1" sx={{ overflowWrap: 'anywhere' }}>
            {heading ?? title}
          </Typography>
          {subtitle && (
            <Typography variant="body2" color="textSecondary" component="div">
              {subtitle}
            </Typography>
          )}
        </Box>
        {actions && <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, alignItems: 'center' }}>{actions}</Box>}
      </Box>
      {children}
    </Box>
  )
}

function Crumbs({ crumbs }: { crumbs: Crumb[] }) {
  return (
    <Box
      component="nav"
      aria-label="Breadcrumb"
      sx={{ display: 'flex', alignItems: 'center', gap: 0.5, fontSize: '0.8125rem', mb: 0.25, color: 'primary.main' }}
    >
      <ArrowLeft size={13} aria-hidden />
      {crumbs.map((crumb, index) => (
        <Box component="span" key={crumb.to}>
          {index > 0 && (
            <Box component="span" aria-hidden sx={{ color: 'text.secondary', mx: 0.5 }}>
              /
            </Box>
          )}
          <TextLink to={crumb.to}>{crumb.label}</TextLink>
        </Box>
      ))}
    </Box>
  )
}
