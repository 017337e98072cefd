import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Typography from '@mui/material/Typography'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useMemo, useState } from 'react'
import { answer, api } from '@/api/client'
import type { ServerDetail, ServerKey } from '@/api/types'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { LoadingLines } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ToneChip } from '@/components/StatusChip'
import { Time } from '@/components/Time'
import { tell } from '@/components/Toasts'
import { unknown } from '@/format/number'
import { NewKeyDialog } from './NewKeyDialog'
import { serverKeysQuery } from './queries'

/** The API keys with which its agent comes in. Several may be good at once, so that they can be changed without a pause. */
export function ServerKeys({ server }: { server: ServerDetail }) {
  const query = useQuery(serverKeysQuery(server.id))
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<ServerKey>()
  const columns = useMemo(() => columnsOf(setRevoking), [])
  return (
    <Panel
      flush
      title="API keys"
      note="for its agent"
      actions={
        <Button
          variant="outlined"
          startIcon={<Plus size={15} aria-hidden />}
          disabled={Boolean(server.retired_at)}
          onClick={() => setCreating(true)}
        >
          New key
        </Button>
      }
    >
      <QueryState query={query} what="the API keys" loading={<LoadingLines lines={3} />}>
        {({ keys }) =>
          keys.length === 0 ? (
            <EmptyState icon={KeyRound} title="No key yet" detail="Without a key its agent cannot send anything." />
          ) : (
            <SmallTable label="API keys" columns={columns} rows={keys.toReversed()} rowKey={(key) => key.key_id} maxHeight={320} />
          )
        }
      </QueryState>
      {creating && <NewKeyDialog server={server} onClose={() => setCreating(false)} />}
      {revoking && <RevokeDialog server={server} revoked={revoking} onClose={() => setRevoking(undefined)} />}
    </Panel>
  )
}

function columnsOf(onRevoke: (key: ServerKey) => void): SmallColumn<ServerKey>[] {
  return [
    { head: 'Key', cell: (key) => <span className="mono">ovt_{key.key_id}_…</span> },
    { head: 'Label', cell: (key) => key.label || unknown },
    { head: 'Created', cell: (key) => <Time at={key.created_at} /> },
    {
      head: 'Status',
      cell: ({ revoked_at }) =>
        revoked_at ? <ToneChip tone="neutral" label="revoked" title={revoked_at} /> : <ToneChip tone="good" label="good" dot />,
    },
    {
      head: '',
      cell: (key) =>
        !key.revoked_at && (
          <Button color="error" aria-label={`Revoke the key ${key.key_id}`} onClick={() => onRevoke(key)}>
            Revoke
          </Button>
        ),
    },
  ]
}

function RevokeDialog({ server, revoked, onClose }: { server: ServerDetail; revoked: ServerKey; onClose: () => void }) {
  const queryClient = useQueryClient()
  const revoke = useMutation({
    mutationFn: () =>
      answer(api.DELETE('/api/servers/{id}/keys/{key_id}', { params: { path: { id: server.id, key_id: revoked.key_id } } })),
    onSuccess: async () => {
      tell('The key is refused from now on')
      await queryClient.invalidateQueries({ queryKey: serverKeysQuery(server.id).queryKey })
      onClose()
    },
  })
  return (
    <ConfirmDialog
      open
      danger
      title="Revoke the key"
      confirm="Revoke"
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    >
      <Box className="mono">ovt_{revoked.key_id}_…</Box>
      <Typography variant="body2">
        Within a second nobody can send anything with it any more. This cannot be undone; an agent that still uses it keeps its events until
        it has a new key.
      </Typography>
    </ConfirmDialog>
  )
}
