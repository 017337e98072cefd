import Alert from '@mui/material/Alert'
import { useQuery } from '@tanstack/react-query'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { denialsOfUserQuery } from './queries'

/** Where the VPN user may not connect now. Nothing is shown where nobody is denied, or it is not known. */
export function Denied({ userId }: { userId: number }) {
  const { data } = useQuery(denialsOfUserQuery(userId))
  return data?.denials.map((denial) => (
    <Alert key={denial.id} severity="warning">
      New connects to {denial.server_instance} are{' '}
      <TextLink to="/denials" underline="always">
        refused
      </TextLink>{' '}
      until <Time at={denial.deny_until} />: “{denial.reason}” ({denial.requested_by}).
    </Alert>
  ))
}
