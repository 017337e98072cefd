import Button from '@mui/material/Button'
import Typography from '@mui/material/Typography'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '@/api/client'
import type { ServerDetail } from '@/api/types'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { tell } from '@/components/Toasts'
import { ServerForm } from './ServerForm'

/** What an admin may do to a VPN server. */
export function ServerActions({ server }: { server: ServerDetail }) {
  const [dialog, setDialog] = useState<'edit' | 'retire'>()
  const close = () => setDialog(undefined)
  return (
    <>
      <Button variant="outlined" color="secondary" onClick={() => setDialog('edit')}>
        Edit
      </Button>
      <Button variant="outlined" color={server.retired_at ? 'secondary' : 'error'} onClick={() => setDialog('retire')}>
        {server.retired_at ? 'Put back into service' : 'Retire'}
      </Button>
      {dialog === 'edit' && <ServerForm server={server} onClose={close} onSaved={close} />}
      {dialog === 'retire' && <RetireDialog server={server} onClose={close} />}
    </>
  )
}

function RetireDialog({ server, onClose }: { server: ServerDetail; onClose: () => void }) {
  const queryClient = useQueryClient()
  const isRetired = Boolean(server.retired_at)
  const change = useMutation({
    mutationFn: () => answer(api.PUT('/api/servers/{id}', { params: { path: { id: server.id } }, body: { retired: !isRetired } })),
    onSuccess: async () => {
      tell(isRetired ? `${server.name} is back in service` : `${server.name} is retired`)
      await queryClient.invalidateQueries({ queryKey: ['servers'] })
      onClose()
    },
  })
  return (
    <ConfirmDialog
      open
      danger={!isRetired}
      title={isRetired ? `Put ${server.name} back into service` : `Retire ${server.name}`}
      confirm={isRetired ? 'Put back' : 'Retire'}
      busy={change.isPending}
      error={change.error}
      onConfirm={() => change.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">
        {isRetired
          ? 'Its keys are good again, and it is shown on the dashboard.'
          : 'Its keys are refused and it leaves the dashboard. Its history stays, and it can be put back.'}
      </Typography>
    </ConfirmDialog>
  )
}
