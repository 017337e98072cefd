import { Link } from 'react-router'

interface PlainLinkProps {
  to: string
  title?: string
  strong?: boolean
  children: string
}

/** A link inside the portal that costs next to nothing: for cells of grids and entries of live lists. */
export function PlainLink({ strong, ...rest }: PlainLinkProps) {
  return <Link className={strong ? 'link strong' : 'link'} {...rest} />
}
