import Box from '@mui/material/Box'
import MenuItem from '@mui/material/MenuItem'
import TextField from '@mui/material/TextField'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { Segments } from '@/components/Segments'
import { useNow } from '@/format/now'
import { formatTime, zoneName } from '@/format/time'
import { setPreferences, usePreferences } from '@/preferences/preferences'
import { Setting } from './Setting'
import { TimeZoneSetting } from './TimeZoneSetting'

const startPages = { '/dashboard': 'Dashboard', '/sessions': 'Sessions', '/vpn-users': 'VPN users', '/servers': 'Servers' } as const

/** How this browser shows the portal to this person. Everything acts at once. */
export function SettingsPage() {
  const preferences = usePreferences()
  const now = useNow(1000)
  return (
    <Page title="Settings" subtitle="Kept in this browser. Changes act at once.">
      <Box
        sx={{
          display: 'grid',
          gap: 2,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) minmax(0, 1fr)' },
          alignItems: 'start',
          maxWidth: 1400,
        }}
      >
        <Box sx={{ display: 'grid', gap: 2, minWidth: 0 }}>
          <Panel title="Display">
            <Setting title="Theme" detail="Auto follows the system.">
              <Segments
                label="Theme"
                value={preferences.theme}
                choices={{ light: 'Light', dark: 'Dark', auto: 'Auto' }}
                onChange={(theme) => setPreferences({ theme })}
              />
            </Setting>
            <Setting title="Density" detail="Compact shows more rows.">
              <Segments
                label="Density"
                value={preferences.density}
                choices={{ comfortable: 'Comfortable', compact: 'Compact' }}
                onChange={(density) => setPreferences({ density })}
              />
            </Setting>
          </Panel>
          <Panel title="Pages">
            <Setting title="After signing in">
              <TextField
                select
                value={preferences.startPage}
                onChange={(event) => setPreferences({ startPage: event.target.value as keyof typeof startPages })}
                slotProps={{ htmlInput: { 'aria-label': 'Page after signing in' } }}
                sx={{ minWidth: 160 }}
              >
                {Object.entries(startPages).map(([path, title]) => (
                  <MenuItem key={path} value={path}>
                    {title}
                  </MenuItem>
                ))}
              </TextField>
            </Setting>
            <Setting title="Rows on a page" detail="Where a link does not say it.">
              <Segments
                label="Rows on a page"
                value={String(preferences.perPage)}
                choices={{ '50': '50', '100': '100', '200': '200' }}
                onChange={(rows) => setPreferences({ perPage: Number(rows) as 50 | 100 | 200 })}
              />
            </Setting>
            <Setting title="Lists refresh every" detail="What the live connection does not keep fresh.">
              <Segments
                label="Lists refresh every"
                value={String(preferences.refreshSeconds)}
                choices={{ '15': '15 s', '30': '30 s', '60': '60 s', '0': 'By hand' }}
                onChange={(seconds) => setPreferences({ refreshSeconds: Number(seconds) as 0 | 15 | 30 | 60 })}
              />
            </Setting>
          </Panel>
        </Box>
        <Panel title="Time" note={`${formatTime(now, preferences)} ${zoneName(preferences, now)}`}>
          <Setting title="Times are shown in" detail="Also in the header. Exports are in UTC always.">
            <Segments
              label="Times are shown in"
              value={preferences.clock}
              choices={{ utc: 'UTC', local: 'Local' }}
              onChange={(clock) => setPreferences({ clock })}
            />
          </Setting>
          <TimeZoneSetting />
          <Setting title="Date">
            <Segments
              label="Date"
              value={preferences.dateFormat}
              choices={{ iso: '2026-02-13', dmy: '13/02/2026', mdy: '02/13/2026' }}
              onChange={(dateFormat) => setPreferences({ dateFormat })}
            />
          </Setting>
          <Setting title="Time of day">
            <Segments
              label="Time of day"
              value={preferences.hourCycle}
              choices={{ '24': '15:30', '12': '3:30 pm' }}
              onChange={(hourCycle) => setPreferences({ hourCycle })}
            />
          </Setting>
        </Panel>
      </Box>
    </Page>
  )
}
