import { ExportMenu } from '@/components/ExportMenu'
import { searchOf } from '@/view-state/url'

/** The whole filter, with the hashes that prove it offline. The export is itself an entry. */
export function ExportAudit({ filter }: { filter: Record<string, string | string[]> }) {
  const path = (format: string) => `/api/audit-logs/export?${searchOf({ format, ...filter })}`
  return (
    <ExportMenu
      formats={[
        { label: 'CSV with hashes', path: path('csv'), fileName: 'audit-log.csv' },
        { label: 'JSON with hashes', path: path('json'), fileName: 'audit-log.json' },
      ]}
    />
  )
}
