/** What the agent beside that VPN server needs to know, ready to be pasted. */
export function agentConfiguration(portal: string, server: string, apiKey: string): string {
  const quoted = (text: string) => JSON.stringify(text)
  return [`server_id = ${quoted(server)}`, `api_url = ${quoted(portal)}`, `api_key = ${quoted(apiKey)}`].join('\n')
}
