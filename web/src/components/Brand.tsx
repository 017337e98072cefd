import Box from '@mui/material/Box'

/** The sign and, where there is room, the name. */
export function Brand({ withName = true, size = 26 }: { withName?: boolean; size?: number }) {
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.25, minWidth: 0 }}>
      <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
        <rect width="32" height="32" rx="8" fill="#1f5fd0" />
        <path d="M6 17h5l3-8 5 15 3-7h4" fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      {withName && (
        <Box
          component="span"
          sx={{ fontWeight: 650, fontSize: size > 30 ? '1.15rem' : '0.9375rem', letterSpacing: '-0.015em', whiteSpace: 'nowrap' }}
        >
          OpenVPN{' '}
          <Box component="span" sx={{ color: 'text.secondary', fontWeight: 500 }}>
            Telemetry
          </Box>
        </Box>
      )}
    </Box>
  )
}
