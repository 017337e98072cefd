import Box from '@mui/material/Box'
import { useState, type ReactNode, type Ref, type UIEvent } from 'react'

type Reason = 'pointer' | 'focus' | 'scrolled'

interface HoldStillProps {
  ref?: Ref<HTMLDivElement>
  onHold: (held: boolean) => void
  children: ReactNode
}

/** Around a list that changes by itself: tells whether somebody is reading or about to press something in it, so that it must not move. */
export function HoldStill({ ref, onHold, children }: HoldStillProps) {
  const [reasons, setReasons] = useState<Reason[]>([])
  const set = (reason: Reason, isThere: boolean) => {
    if (reasons.includes(reason) === isThere) return
    const next = isThere ? [...reasons, reason] : reasons.filter((one) => one !== reason)
    setReasons(next)
    onHold(next.length > 0)
  }
  return (
    <Box
      ref={ref}
      sx={{ position: 'relative', display: 'flex', flexDirection: 'column', flex: '1 1 0', minHeight: 0 }}
      onPointerMove={({ pointerType }) => pointerType !== 'touch' && set('pointer', true)}
      onPointerLeave={() => set('pointer', false)}
      onFocus={() => set('focus', true)}
      onBlur={(event) => set('focus', event.currentTarget.contains(event.relatedTarget))}
      onScrollCapture={({ target }: UIEvent) => {
        if (target instanceof HTMLElement && target.scrollHeight > target.clientHeight) set('scrolled', target.scrollTop > 0)
      }}
    >
      {children}
    </Box>
  )
}
