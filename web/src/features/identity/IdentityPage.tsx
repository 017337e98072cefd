import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import TextField from '@mui/material/TextField'
import Typography from '@mui/material/Typography'
import { useQuery } from '@tanstack/react-query'
import { UserSearch } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import type { Identity } from '@/api/types'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { Time } from '@/components/Time'
import { classify } from '@/format/address'
import { fromInput, toInput } from '@/format/input'
import { zoneName } from '@/format/time'
import { usePreferences } from '@/preferences/preferences'
import { optionalText, text, useView } from '@/view-state/url'
import { HolderPanel } from './HolderPanel'
import { identityQuery } from './queries'

const identityView = { ip: text(), at: optionalText() }

/** Who held an address at an instant, how certain that is, and why. */
export function IdentityPage() {
  const [view, setView] = useView(identityView)
  const isAsked = view.ip !== '' && classify(view.ip) === 'address'
  return (
    <Page title="Identity at an instant" subtitle="Who held this address then, how certain that is, and why">
      <Panel>
        <Question key={`${view.ip} ${view.at}`} ip={view.ip} at={view.at} onAsk={(ip, at) => setView({ ip, at })} />
      </Panel>
      {isAsked ? (
        <Answered ip={view.ip} at={view.at} />
      ) : (
        <Panel>
          <EmptyState
            icon={UserSearch}
            title="Ask for an address"
            detail="A virtual address (IPv4 or IPv6) of a VPN, or the real address that a client connected from."
          />
        </Panel>
      )}
    </Page>
  )
}

function Question({ ip, at, onAsk }: { ip: string; at: string | undefined; onAsk: (ip: string, at: string | undefined) => void }) {
  const clock = usePreferences()
  const [typedIp, setTypedIp] = useState(ip)
  const [typedAt, setTypedAt] = useState(() => toInput(at, clock))
  const isWrong = typedIp.trim() !== '' && classify(typedIp.trim()) !== 'address'
  const ask = (event: FormEvent) => {
    event.preventDefault()
    if (typedIp.trim() && !isWrong) onAsk(typedIp.trim(), fromInput(typedAt, clock))
  }
  return (
    <Box
      component="form"
      role="search"
      aria-label="Identity"
      onSubmit={ask}
      sx={{ display: 'flex', flexWrap: 'wrap', gap: 1.5, alignItems: 'flex-start' }}
    >
      <TextField
        autoFocus={ip === ''}
        label="Address"
        placeholder="10.8.0.23"
        value={typedIp}
        onChange={(event) => setTypedIp(event.target.value)}
        error={isWrong}
        helperText={isWrong ? 'One IPv4 or IPv6 address' : undefined}
        sx={{ width: { xs: '100%', sm: 260 } }}
        slotProps={{ inputLabel: { shrink: true }, htmlInput: { className: 'mono' } }}
      />
      <TextField
        type="datetime-local"
        label={`Time (${zoneName(clock)}); now if empty`}
        value={typedAt}
        onChange={(event) => setTypedAt(event.target.value)}
        sx={{ width: { xs: '100%', sm: 250 } }}
        slotProps={{ inputLabel: { shrink: true }, htmlInput: { step: 1 } }}
      />
      <Button type="submit" variant="contained" disabled={!typedIp.trim() || isWrong} sx={{ minHeight: 38 }}>
        Who was it?
      </Button>
    </Box>
  )
}

function Answered({ ip, at }: { ip: string; at: string | undefined }) {
  const query = useQuery(identityQuery(ip, at))
  return (
    <QueryState query={query} what="the answer" loading={<LoadingBlock height={260} />}>
      {(identity) => <Answer identity={identity} />}
    </QueryState>
  )
}

function Answer({ identity }: { identity: Identity }) {
  const missing = identity.gaps.reduce((sum, gap) => sum + gap.missing_events, 0)
  return (
    <>
      <Typography variant="body1" role="status">
        {verdict(identity)} at <Time at={identity.at} />.
      </Typography>
      {missing > 0 && (
        <Alert severity="warning">{missing} events of VPN servers are missing around that instant: a holder may be among them.</Alert>
      )}
      {identity.holders.map((holder) => (
        <HolderPanel key={`${holder.session.id}-${holder.address}`} holder={holder} at={identity.at} />
      ))}
      {identity.holders.length === 0 && (
        <Panel>
          <EmptyState
            title={`Nobody is known to have held ${identity.ip} then`}
            detail={
              missing > 0 ? 'Missing events may hide somebody.' : 'No session had this address between a proof of life and a disproof.'
            }
          />
        </Panel>
      )}
    </>
  )
}

function verdict({ ip, answer, holders }: Identity): string {
  const count = holders.length
  if (count === 0) return `No session held ${ip}`
  const who = count === 1 ? 'One session' : `${count} sessions`
  return answer === 'certain' ? `${who} held ${ip}` : `${who} probably held ${ip}`
}
