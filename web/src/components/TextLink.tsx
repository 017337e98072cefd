import Link, { type LinkProps } from '@mui/material/Link'
import { Link as RouterLink } from 'react-router'

/** A link inside the portal. */
export function TextLink({ to, ...rest }: { to: string } & Omit<LinkProps, 'href' | 'component'>) {
  return <Link component={RouterLink} to={to} {...rest} />
}
