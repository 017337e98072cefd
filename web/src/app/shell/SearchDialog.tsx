import Box from '@mui/material/Box'
import Dialog from '@mui/material/Dialog'
import InputBase from '@mui/material/InputBase'
import { Search } from 'lucide-react'
import { useId, useState } from 'react'
import { useNavigate } from 'react-router'
import { usePortalUser } from '@/auth/useAuth'
import { useSearchResults, type SearchResult } from './searchResults'

/** One field for everything: pages, VPN users, sessions by id, addresses, servers. Arrows choose, Enter goes. */
export function SearchDialog({ onClose }: { onClose: () => void }) {
  const id = useId()
  const navigate = useNavigate()
  const { roles } = usePortalUser()
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const { results, isSearching } = useSearchResults(text, roles)
  const current = Math.min(chosen, results.length - 1)
  const go = (result: SearchResult | undefined) => {
    if (!result) return
    onClose()
    void navigate(result.to)
  }
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setChosen((current + step + results.length) % Math.max(1, results.length))
    }
    if (event.key === 'Enter') go(results[current])
  }
  return (
    <Dialog
      open
      onClose={onClose}
      fullWidth
      maxWidth="sm"
      sx={{ '& .MuiDialog-container': { alignItems: 'flex-start' } }}
      slotProps={{ paper: { 'aria-label': 'Search', sx: { mt: { xs: 1, sm: '9vh' } } } }}
    >
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.25, px: 2, borderBottom: '1px solid', borderColor: 'divider' }}>
        <Search size={17} aria-hidden />
        <InputBase
          autoFocus
          fullWidth
          value={text}
          placeholder="User, session id, IP address, server or page"
          onChange={(event) => {
            setText(event.target.value)
            setChosen(0)
          }}
          onKeyDown={onKeyDown}
          sx={{ height: 48, fontSize: '0.9375rem' }}
          inputProps={{
            role: 'combobox',
            'aria-label': 'Search',
            'aria-expanded': true,
            'aria-controls': id,
            'aria-autocomplete': 'list',
            'aria-activedescendant': results.length > 0 ? `${id}-${current}` : undefined,
          }}
        />
      </Box>
      <Box
        id={id}
        role="listbox"
        aria-label="Results"
        aria-busy={isSearching}
        sx={{ p: 0.75, minHeight: 200, maxHeight: '56vh', overflowY: 'auto' }}
      >
        {results.map((result, index) => (
          <Result
            key={result.key}
            id={`${id}-${index}`}
            result={result}
            first={index === 0 || results[index - 1]?.group !== result.group}
            chosen={index === current}
            onGo={() => go(result)}
            onPoint={() => setChosen(index)}
          />
        ))}
      </Box>
      {results.length === 0 && (
        <Box role="status" sx={{ mt: '-120px', pb: 10, textAlign: 'center', color: 'text.secondary', fontSize: '0.8125rem' }}>
          {isSearching ? 'Searching…' : 'Nothing found.'}
        </Box>
      )}
    </Dialog>
  )
}

function intoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' })
}

interface ResultProps {
  id: string
  result: SearchResult
  first: boolean
  chosen: boolean
  onGo: () => void
  onPoint: () => void
}

function Result({ id, result: { icon: Icon, title, detail, group }, first, chosen, onGo, onPoint }: ResultProps) {
  return (
    <>
      {first && (
        <Box
          role="presentation"
          sx={{ px: 1.25, pt: 1, pb: 0.5, fontSize: '0.6875rem', fontWeight: 600, color: 'text.secondary', letterSpacing: '0.03em' }}
        >
          {group}
        </Box>
      )}
      <Box
        id={id}
        role="option"
        aria-selected={chosen}
        tabIndex={-1}
        onClick={onGo}
        onMouseMove={onPoint}
        ref={chosen ? intoView : undefined}
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: 1.25,
          px: 1.25,
          py: 0.75,
          borderRadius: 1,
          cursor: 'pointer',
          fontSize: '0.8438rem',
          bgcolor: chosen ? 'ovt.primarySoft' : 'transparent',
        }}
      >
        <Box component="span" sx={{ color: 'text.secondary', display: 'inline-flex' }}>
          <Icon size={16} aria-hidden />
        </Box>
        <Box component="span" sx={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
          {title}
        </Box>
        <Box
          component="span"
          sx={{
            ml: 'auto',
            color: 'text.secondary',
            fontSize: '0.75rem',
            whiteSpace: 'nowrap',
            overflow: 'hidden',
            textOverflow: 'ellipsis',
          }}
        >
          {detail}
        </Box>
      </Box>
    </>
  )
}
