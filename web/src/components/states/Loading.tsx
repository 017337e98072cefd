import Box from '@mui/material/Box'
import Skeleton from '@mui/material/Skeleton'

/** Lines of text to come. */
export function LoadingLines({ lines = 4 }: { lines?: number }) {
  return (
    <Box role="status" aria-label="Loading" sx={{ p: 1 }}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} variant="text" width={`${92 - ((line * 17) % 40)}%`} sx={{ fontSize: '0.875rem', my: 0.5 }} />
      ))}
    </Box>
  )
}

/** A block of a known height: a chart, a grid. */
export function LoadingBlock({ height }: { height: number | string }) {
  return (
    <Box role="status" aria-label="Loading">
      <Skeleton variant="rounded" height={height} />
    </Box>
  )
}
