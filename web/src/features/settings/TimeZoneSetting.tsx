import Autocomplete from '@mui/material/Autocomplete'
import TextField from '@mui/material/TextField'
import { setPreferences, usePreferences } from '@/preferences/preferences'
import { Setting } from './Setting'

const own = new Intl.DateTimeFormat().resolvedOptions().timeZone
const zones = Intl.supportedValuesOf('timeZone')

/** What "local" means: the browser's own zone, unless another one is chosen. */
export function TimeZoneSetting() {
  const { localTimeZone } = usePreferences()
  return (
    <Setting title="Local time zone" detail={`Empty: this computer’s, ${own}.`}>
      <Autocomplete
        options={zones}
        value={localTimeZone || null}
        onChange={(_event, zone) => setPreferences({ localTimeZone: zone ?? '' })}
        sx={{ width: 240 }}
        size="small"
        renderInput={(parameters) => (
          <TextField
            {...parameters}
            placeholder={own}
            slotProps={{ ...parameters.slotProps, htmlInput: { ...parameters.slotProps.htmlInput, 'aria-label': 'Local time zone' } }}
          />
        )}
      />
    </Setting>
  )
}
