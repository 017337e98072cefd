import Box from '@mui/material/Box'
import Checkbox from '@mui/material/Checkbox'
import FormControl from '@mui/material/FormControl'
import FormControlLabel from '@mui/material/FormControlLabel'
import FormHelperText from '@mui/material/FormHelperText'
import FormLabel from '@mui/material/FormLabel'
import { useQuery } from '@tanstack/react-query'
import { portalRolesQuery } from './queries'

interface RoleSelectorProps {
  value: number[]
  onChange: (ids: number[]) => void
  error: string | undefined
}

export function RoleSelector({ value, onChange, error }: RoleSelectorProps) {
  const query = useQuery(portalRolesQuery)
  const toggle = (id: number) => onChange(value.includes(id) ? value.filter((one) => one !== id) : [...value, id])
  return (
    <FormControl component="fieldset" error={Boolean(error)}>
      <FormLabel component="legend" sx={{ fontSize: '0.8125rem', mb: 0.5 }}>
        Roles
      </FormLabel>
      <Box sx={{ display: 'grid', gap: 0.25 }}>
        {(query.data?.roles ?? []).map((role) => (
          <FormControlLabel
            key={role.id}
            control={<Checkbox size="small" checked={value.includes(role.id)} onChange={() => toggle(role.id)} />}
            label={
              <Box component="span">
                {role.name}
                <Box component="span" sx={{ color: 'text.secondary', fontSize: '0.75rem', ml: 1 }}>
                  {role.description}
                  {role.requires_totp && ', asks for two-factor sign-in'}
                </Box>
              </Box>
            }
            slotProps={{ typography: { variant: 'body2' } }}
          />
        ))}
      </Box>
      {(error ?? query.error) && <FormHelperText>{error ?? 'The roles could not be loaded.'}</FormHelperText>}
    </FormControl>
  )
}
