import Box from '@mui/material/Box'
import ButtonBase from '@mui/material/ButtonBase'
import { Search } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'

/** Nobody searches before the page is there. */
const SearchDialog = lazy(async () => ({ default: (await import('./SearchDialog')).SearchDialog }))

/** The field in the header; Ctrl K, ⌘ K or `/` from anywhere. */
export function GlobalSearch() {
  const [open, setOpen] = useState(false)
  useSearchKeys(() => setOpen(true))
  return (
    <>
      <ButtonBase
        aria-label="Search users, sessions, addresses…"
        aria-keyshortcuts="Control+K /"
        onClick={() => setOpen(true)}
        sx={{
          height: 34,
          flex: { xs: '0 0 auto', sm: '0 1 420px' },
          px: 1.25,
          gap: 1,
          justifyContent: 'flex-start',
          borderRadius: 1,
          border: '1px solid',
          borderColor: 'divider',
          bgcolor: 'background.default',
          color: 'text.secondary',
          fontSize: '0.8125rem',
          '&:hover': { borderColor: 'ovt.lineStrong' },
        }}
      >
        <Search size={15} aria-hidden />
        <Box
          component="span"
          sx={{
            display: { xs: 'none', sm: 'block' },
            flex: 1,
            textAlign: 'left',
            overflow: 'hidden',
            whiteSpace: 'nowrap',
            textOverflow: 'ellipsis',
          }}
        >
          Search users, sessions, addresses…
        </Box>
        <Box
          component="kbd"
          aria-hidden
          sx={{
            '&::before': { content: '"Ctrl K"' },
            display: { xs: 'none', lg: 'block' },
            fontFamily: 'inherit',
            fontSize: '0.6875rem',
            border: '1px solid',
            borderColor: 'divider',
            borderRadius: '4px',
            px: 0.75,
            py: '1px',
            bgcolor: 'background.paper',
          }}
        />
      </ButtonBase>
      {open && (
        <Suspense>
          <SearchDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}

function useSearchKeys(open: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isShortcut =
        (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) || (event.key === '/' && !isTyping(event.target))
      if (!isShortcut) return
      event.preventDefault()
      open()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [open])
}
