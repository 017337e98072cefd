import Typography from '@mui/material/Typography'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/api/client'
import type { Denial } from '@/api/types'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { tell } from '@/components/Toasts'

/** Asks before a VPN user may connect again before the time. */
export function RevokeDialog({ denial, onClose }: { denial: Denial; onClose: () => void }) {
  const client = useQueryClient()
  const revoke = useMutation({
    mutationFn: () => answer(api.DELETE('/api/denials/{id}', { params: { path: { id: denial.id } } })),
    onSuccess: async () => {
      tell(`${denial.common_name} may connect to ${denial.server_instance} again`)
      await client.invalidateQueries({ queryKey: ['denials'] })
      onClose()
    },
  })
  return (
    <ConfirmDialog
      open
      danger
      title="Revoke the denial"
      confirm="Revoke"
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">
        {denial.common_name} may connect to {denial.server_instance} again as soon as its agent knows, usually within a second.
      </Typography>
    </ConfirmDialog>
  )
}
