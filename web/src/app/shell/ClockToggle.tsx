import Box from '@mui/material/Box'
import ButtonBase from '@mui/material/ButtonBase'
import Tooltip from '@mui/material/Tooltip'
import { timeZone, zoneName } from '@/format/time'
import { setPreferences, usePreferences } from '@/preferences/preferences'

/** All times of the portal: UTC, or the person's own zone. */
export function ClockToggle() {
  const preferences = usePreferences()
  const isUtc = preferences.clock === 'utc'
  const local = zoneName({ ...preferences, clock: 'local' })
  return (
    <Tooltip title={`Times are in ${timeZone(preferences)}. Switch to ${isUtc ? `local time (${local})` : 'UTC'}`}>
      <ButtonBase
        aria-label={`Times in ${isUtc ? 'UTC' : 'local time'}; switch`}
        onClick={() => setPreferences({ clock: isUtc ? 'local' : 'utc' })}
        sx={{
          height: 30,
          px: 1,
          borderRadius: 1,
          border: '1px solid',
          borderColor: 'divider',
          fontSize: '0.75rem',
          fontWeight: 560,
          color: 'text.secondary',
          whiteSpace: 'nowrap',
          '&:hover': { bgcolor: 'action.hover' },
        }}
      >
        <Box component="span" sx={{ minWidth: 34, textAlign: 'center' }}>
          {isUtc ? 'UTC' : 'Local'}
        </Box>
      </ButtonBase>
    </Tooltip>
  )
}
