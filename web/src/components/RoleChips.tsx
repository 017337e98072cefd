import Box from '@mui/material/Box'
import { ToneChip, type Tone } from './StatusChip'

const tones: Record<string, Tone> = { admin: 'bad', operator: 'info', viewer: 'neutral', auditor: 'caution' }

export function RoleChips({ roles }: { roles: { id: number; name: string }[] }) {
  return (
    <Box component="span" sx={{ display: 'inline-flex', flexWrap: 'wrap', gap: 0.5 }}>
      {roles.map((role) => (
        <ToneChip key={role.id} tone={tones[role.name] ?? 'neutral'} label={role.name} />
      ))}
    </Box>
  )
}
