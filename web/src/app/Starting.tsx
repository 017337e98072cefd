import Box from '@mui/material/Box'
import CircularProgress from '@mui/material/CircularProgress'

/** Until it is known who is there. */
export function Starting() {
  return (
    <Box sx={{ minHeight: '100dvh', display: 'grid', placeItems: 'center' }}>
      <CircularProgress size={28} aria-label="Starting" />
    </Box>
  )
}
