import { randomUUID } from 'node:crypto'
import { Agent } from '../support/agent'
import { Api } from '../support/api'
import { expect, test } from '../support/journey'
import { aPerson, arrived, signIn } from '../support/people'

test('a rejected event is shown with its reason, and the good one beside it counts', async ({ page, anotherPage }) => {
  const admin = await Api.admin()
  const agent = await Agent.beside(admin, 'rejected')
  const user = `good-${randomUUID().slice(0, 8)}@example.com`
  const connect = { type: 'SESSION_CONNECTED', common_name: user, virtual_ip: '10.99.1.1' }
  await agent.send(connect, { ...connect, common_name: 'bad@example.com', real_ip: 'no address' })

  await signIn(page, undefined, `/events/rejected?server_instance=${agent.server}`, 'Rejected events')
  const grid = page.getByRole('grid', { name: 'Rejected events' })
  await expect(grid.getByText('invalid real ip')).toBeVisible()
  await expect(page.getByText('1–1 of 1 rejected events')).toBeVisible()
  await grid.getByText('invalid real ip').click()
  await expect(page.getByRole('dialog').getByRole('region', { name: 'The event' })).toContainText('"no address"')
  await page.getByRole('button', { name: 'Close' }).click()

  await page.goto(`/sessions?server_instance=${agent.server}`)
  await arrived(page, 'Sessions')
  await expect(page.getByRole('gridcell').getByRole('link', { name: user })).toBeVisible()

  const viewers = await anotherPage()
  await signIn(viewers, await aPerson(admin, 'viewer'), '/events/rejected', 'Not allowed')
})

test('a disconnect without its connect waits in sight, and counts once that has come', async ({ page }) => {
  const agent = await Agent.beside(await Api.admin(), 'unmatched')
  const user = `late-${randomUUID().slice(0, 8)}@example.com`
  const session_id = randomUUID()
  const at = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()
  await agent.send({ type: 'SESSION_DISCONNECTED', common_name: user, session_id, event_time_vpn: at(10) })
  const path = `/events/unmatched?server_instance=${agent.server}`
  await signIn(page, undefined, path, 'Unmatched events')
  await expect(page.getByRole('gridcell').getByRole('link', { name: user })).toBeVisible()

  await agent.send({ type: 'SESSION_CONNECTED', event_id: session_id, common_name: user, virtual_ip: '10.99.1.2', event_time_vpn: at(60) })
  await expect(page.getByText('No event waits for its session')).toBeVisible()
  await page.goto(`/sessions/${session_id}`)
  await arrived(page, new RegExp(`^${user}`))
  await expect(page.getByRole('heading', { level: 1 })).toContainText('disconnected')
})
