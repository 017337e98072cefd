import Autocomplete from '@mui/material/Autocomplete'
import TextField from '@mui/material/TextField'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { VpnUser } from '@/api/types'
import { userSuggestionsQuery, vpnUserNameQuery } from './queries'

type Suggestion = Pick<VpnUser, 'id' | 'common_name' | 'full_name'>

/** One VPN user, found by typing. The URL keeps the id; the name is looked up for a link that somebody else made. */
export function UserFilter({ value, onChange }: { value: string | undefined; onChange: (id: string | undefined) => void }) {
  const [typed, setTyped] = useState('')
  const id = Number(value)
  const chosen = useQuery({ ...vpnUserNameQuery(id), enabled: value !== undefined && Number.isSafeInteger(id) })
  const suggestions = useQuery(userSuggestionsQuery(typed.trim()))
  const current: Suggestion | null = value === undefined ? null : (chosen.data ?? { id, common_name: `VPN user ${value}` })
  return (
    <Autocomplete<Suggestion>
      options={typed.trim().length >= 2 ? (suggestions.data?.users ?? []) : []}
      value={current}
      inputValue={typed}
      onInputChange={(_event, text) => setTyped(text)}
      onChange={(_event, user) => onChange(user ? String(user.id) : undefined)}
      isOptionEqualToValue={(one, other) => one.id === other.id}
      getOptionLabel={(user) => user.common_name}
      getOptionKey={(user) => user.id}
      // The service has searched already, in names and e-mails too.
      filterOptions={(users) => users}
      loading={suggestions.isFetching}
      noOptionsText={typed.trim().length < 2 ? 'Type a part of the name' : 'No VPN user matches'}
      renderInput={(params) => (
        <TextField
          {...params}
          label="VPN user"
          slotProps={{ ...params.slotProps, inputLabel: { ...params.slotProps.inputLabel, shrink: true } }}
        />
      )}
      sx={{ width: { xs: '100%', sm: 180 } }}
    />
  )
}
