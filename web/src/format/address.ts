export type Kind = 'address' | 'network' | 'uuid' | 'text'

const ipv4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/
const ipv6 = /^(?=.*:)(?!.*:::)(?!.*::.*::)[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}$/i
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** What somebody typed. The services parse it strictly; this only chooses what to ask them. */
export function classify(text: string): Kind {
  if (uuid.test(text)) return 'uuid'
  const [address = '', length, ...rest] = text.split('/')
  const isAddress = ipv4.test(address) || ipv6.test(address)
  if (!isAddress || rest.length > 0) return 'text'
  if (length === undefined) return 'address'
  const longest = address.includes(':') ? 128 : 32
  return /^\d{1,3}$/.test(length) && Number(length) <= longest ? 'network' : 'text'
}
