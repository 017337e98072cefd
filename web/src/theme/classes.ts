import { tones } from './tones'

const variable = (name: string) => `var(--ovt-palette-ovt-${name})`
const clipped = { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' } as const

/**
 * Styles of what stands on a page by the hundred and comes and goes while one looks: entries of lists, chips, times. As classes
 * they cost the browser nothing when they are drawn; styles of components are worked out for each of them, each time.
 */
export const classes = {
  '.nowrap': { whiteSpace: 'nowrap' },
  '.age': { color: variable('textMuted'), marginLeft: 4, whiteSpace: 'nowrap' },
  '.link': { color: 'var(--ovt-palette-primary-main)', textDecoration: 'none' },
  '.link:hover': { textDecoration: 'underline' },
  '.strong': { fontWeight: 560 },

  '.chip': {
    display: 'inline-flex',
    alignItems: 'center',
    gap: 6,
    padding: '0 8px',
    height: 22,
    borderRadius: 11,
    fontSize: '0.75rem',
    fontWeight: 560,
    whiteSpace: 'nowrap',
    lineHeight: 1,
    verticalAlign: 'middle',
  },
  ...Object.fromEntries(
    Object.entries(tones).map(([tone, { text, back }]) => [`.chip-${tone}`, { color: variable(text), backgroundColor: variable(back) }]),
  ),
  '.chip-dot': { width: 7, height: 7, borderRadius: '50%', backgroundColor: 'currentColor' },
  '.chip-dot.pulse': { animation: 'ovt-pulse 2s ease-in-out infinite' },
  '@keyframes ovt-pulse': { '50%': { opacity: 0.35 } },

  // Entries stand one on top of the other and are moved by their transform: that moves no layout when another one arrives.
  '.feed': { listStyle: 'none', margin: 0, padding: 0, position: 'relative' },
  '.feed > li': {
    position: 'absolute',
    inset: '0 0 auto 0',
    height: 32,
    display: 'grid',
    gridTemplateColumns: '58px minmax(0, 1fr) auto',
    alignItems: 'center',
    gap: 8,
    fontSize: '0.8125rem',
    borderBottom: `1px solid ${variable('line')}`,
  },
  // Only its opacity changes: the compositor does that alone, while a colour would be worked out anew for each frame.
  '.feed > li.arrived::before': {
    content: '""',
    position: 'absolute',
    inset: 0,
    zIndex: -1,
    backgroundColor: variable('primarySoft'),
    opacity: 0,
    animation: 'ovt-arrive 1.4s ease-out',
  },
  '@keyframes ovt-arrive': { from: { opacity: 1 } },
  '.feed time, .feed-detail': { color: variable('textMuted'), fontSize: '0.75rem', whiteSpace: 'nowrap' },
  '.feed-name': clipped,
  '.feed-server': {
    color: variable('textMuted'),
    marginLeft: 8,
    fontSize: '0.75rem',
    display: 'none',
    '@media (min-width: 1536px)': { display: 'inline' },
  },
} as const
