import type { VpnUser } from '@/api/types'
import { ToneChip } from '@/components/StatusChip'
import { Time } from '@/components/Time'
import { useOfNow } from '@/format/now'
import { unknown } from '@/format/number'

const day = 86_400_000
const warnDays = 30

/** Whether the certificate still holds: it warns 30 days before its end. */
export function CertificateChip({ user }: { user: Pick<VpnUser, 'cert_expiry_at' | 'revoked_at'> }) {
  const days = useOfNow((now) => (user.cert_expiry_at ? Math.floor((Date.parse(user.cert_expiry_at) - now) / day) : undefined))
  if (user.revoked_at) return <ToneChip tone="bad" label="revoked" />
  if (days === undefined) return <>{unknown}</>
  if (days < 0) return <ToneChip tone="bad" label="expired" />
  if (days < warnDays) return <ToneChip tone="caution" label={days === 0 ? 'expires today' : `expires in ${days} d`} />
  return <Time at={user.cert_expiry_at} precision="minutes" relative="only" />
}
