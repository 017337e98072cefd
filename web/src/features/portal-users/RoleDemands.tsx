import Box from '@mui/material/Box'
import Switch from '@mui/material/Switch'
import Typography from '@mui/material/Typography'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '@/api/client'
import type { PortalRole } from '@/api/types'
import { usePortalUser } from '@/auth/useAuth'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { Panel } from '@/components/Panel'
import { LoadingLines } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { tell } from '@/components/Toasts'
import { portalRolesQuery } from './queries'

/** Of which roles a second factor is demanded. */
export function RoleDemands() {
  const query = useQuery(portalRolesQuery)
  const [asked, setAsked] = useState<PortalRole>()
  return (
    <Panel title="Two-factor sign-in by role" note="whoever has none can do nothing but set one up">
      <QueryState query={query} what="the roles" loading={<LoadingLines lines={4} />}>
        {({ roles }) => (
          <Box
            component="ul"
            sx={{
              listStyle: 'none',
              m: 0,
              p: 0,
              display: 'grid',
              columnGap: 4,
              gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 230px), 1fr))',
            }}
          >
            {roles.map((role) => (
              <Demand key={role.id} role={role} onAsk={() => setAsked(role)} />
            ))}
          </Box>
        )}
      </QueryState>
      {asked && <DemandDialog role={asked} onClose={() => setAsked(undefined)} />}
    </Panel>
  )
}

function Demand({ role, onAsk }: { role: PortalRole; onAsk: () => void }) {
  return (
    <Box component="li" sx={{ display: 'flex', alignItems: 'center', gap: 1.5, py: 0.75 }}>
      <Switch
        size="small"
        checked={role.requires_totp}
        onChange={onAsk}
        slotProps={{ input: { 'aria-label': `Demand two-factor sign-in of ${role.name}` } }}
      />
      <Box sx={{ minWidth: 0 }}>
        <Typography variant="body2" sx={{ fontWeight: 560 }}>
          {role.name}
        </Typography>
        <Typography variant="caption" color="textSecondary" component="div">
          {role.requires_totp ? 'must have a second factor' : 'may do without one'}
        </Typography>
      </Box>
    </Box>
  )
}

function DemandDialog({ role, onClose }: { role: PortalRole; onClose: () => void }) {
  const queryClient = useQueryClient()
  const concernsMe = usePortalUser().roles.some((mine) => mine === role.name)
  const demand = !role.requires_totp
  const save = useMutation({
    mutationFn: () => answer(api.PUT('/api/portal-roles/{id}', { params: { path: { id: role.id } }, body: { requires_totp: demand } })),
    onSuccess: async () => {
      tell(demand ? `Every ${role.name} needs a second factor now` : `A second factor is up to each ${role.name} now`)
      onClose()
      await queryClient.invalidateQueries({ queryKey: portalRolesQuery.queryKey })
    },
  })
  return (
    <ConfirmDialog
      open
      title={demand ? `Demand two-factor sign-in of every ${role.name}` : `Demand it no longer of every ${role.name}`}
      confirm={demand ? 'Demand it' : 'Demand it no longer'}
      danger={demand}
      busy={save.isPending}
      error={save.error}
      onConfirm={() => save.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">
        {demand
          ? 'Whoever has the role and no second factor is stopped at once, and can do nothing but set one up.'
          : 'Those who have a second factor keep it; it can be turned off from now on.'}
      </Typography>
      {demand && concernsMe && <Typography variant="body2">You have this role yourself.</Typography>}
    </ConfirmDialog>
  )
}
