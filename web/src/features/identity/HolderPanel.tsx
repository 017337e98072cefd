import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import type { Holder } from '@/api/types'
import { Facts } from '@/components/Facts'
import { Mono } from '@/components/Mono'
import { Panel } from '@/components/Panel'
import { SessionStatusChip, ToneChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { unknown } from '@/format/number'
import { endWords } from '@/format/session'

const addressWords = {
  virtual_ip: 'its virtual address',
  virtual_ip6: 'its virtual IPv6 address',
  real_ip: 'the address it connected from',
} as const

/** One session that held the address, with the proofs on both sides of the instant. */
export function HolderPanel({ holder, at }: { holder: Holder; at: string }) {
  const { session, certainty } = holder
  const isCertain = certainty === 'certain'
  const missing = holder.gaps.reduce((sum, gap) => sum + gap.missing_events, 0)
  return (
    <Panel
      title={
        <Box component="span" sx={{ display: 'inline-flex', gap: 1.25, alignItems: 'center', flexWrap: 'wrap' }}>
          {session.common_name}
          <ToneChip tone={isCertain ? 'good' : 'caution'} label={certainty} />
          <SessionStatusChip status={session.session_status} />
        </Box>
      }
      actions={<TextLink to={`/sessions/${session.id}`}>Open the session</TextLink>}
    >
      <Box sx={{ display: 'grid', gap: 2 }}>
        <Proofs holder={holder} at={at} />
        <Box sx={{ fontSize: '0.875rem' }}>{whyText(holder)}</Box>
        {missing > 0 && (
          <Alert severity="warning">
            {missing} events of {session.server_instance} are missing between these proofs: they could change the answer.
          </Alert>
        )}
        <Facts
          facts={[
            { label: 'VPN user', value: <TextLink to={`/vpn-users/${session.vpn_user_id}`}>{session.common_name}</TextLink> },
            { label: 'VPN server', value: <TextLink to={`/servers/${session.server_key}`}>{session.server_instance}</TextLink> },
            { label: 'The address was', value: addressWords[holder.address] },
            { label: 'Virtual address', value: <Mono text={session.virtual_ip ?? session.virtual_ip6} copy="the virtual address" /> },
            {
              label: 'Real address',
              value: (
                <Mono
                  text={session.real_ip ? `${session.real_ip}${session.real_port ? ` port ${session.real_port}` : ''}` : null}
                  copy="the real address"
                />
              ),
            },
            { label: 'Connected', value: <Time at={session.connected_at} /> },
            { label: 'Ended', value: session.disconnected_at ? <Time at={session.disconnected_at} /> : 'not yet' },
            { label: 'Why it ended', value: session.ended_by ? endWords[session.ended_by] : unknown },
          ]}
        />
      </Box>
    </Panel>
  )
}

/** The line from the proof before to what comes after, with the instant on it. */
function Proofs({ holder, at }: { holder: Holder; at: string }) {
  const after = holder.proof_after ?? holder.disproof
  const span = after ? Date.parse(after) - Date.parse(holder.proof_before) : 0
  const share = span > 0 ? Math.min(1, Math.max(0, (Date.parse(at) - Date.parse(holder.proof_before)) / span)) : 0.5
  return (
    <Box aria-hidden sx={{ display: 'grid', gap: 0.5, fontSize: '0.75rem', color: 'text.secondary' }}>
      <Box sx={{ position: 'relative', height: 10 }}>
        <Box
          sx={{
            position: 'absolute',
            inset: '4px 0',
            borderRadius: 1,
            bgcolor: holder.certainty === 'certain' ? 'ovt.good' : 'ovt.caution',
            opacity: 0.55,
          }}
        />
        <Box
          sx={{
            position: 'absolute',
            top: 0,
            bottom: 0,
            left: `${share * 100}%`,
            width: 3,
            ml: '-1.5px',
            borderRadius: 1,
            bgcolor: 'text.primary',
          }}
        />
      </Box>
      <Box sx={{ display: 'flex', justifyContent: 'space-between', gap: 2 }}>
        <span>
          proof of life <Time at={holder.proof_before} relative="none" />
        </span>
        <span>
          {after ? (
            <>
              {holder.proof_after ? 'proof of life' : 'first disproof'} <Time at={after} relative="none" />
            </>
          ) : (
            'nothing since'
          )}
        </span>
      </Box>
    </Box>
  )
}

function whyText(holder: Holder) {
  const { session } = holder
  if (holder.proof_after) {
    return (
      <>
        Certain: {session.server_instance} proved this session alive at <Time at={holder.proof_before} relative="none" /> and again at{' '}
        <Time at={holder.proof_after} relative="none" />, and it held the address all the time.
      </>
    )
  }
  if (holder.disproof) {
    return (
      <>
        Probable: the last proof of life is from <Time at={holder.proof_before} relative="none" />, and the first word against it from{' '}
        <Time at={holder.disproof} relative="none" />. It ended at some time between.
      </>
    )
  }
  return (
    <>
      Probable: the last proof of life is from <Time at={holder.proof_before} relative="none" />, and nothing has spoken against it since.
    </>
  )
}
