import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Dialog from '@mui/material/Dialog'
import DialogActions from '@mui/material/DialogActions'
import DialogContent from '@mui/material/DialogContent'
import DialogTitle from '@mui/material/DialogTitle'
import TextField from '@mui/material/TextField'
import Typography from '@mui/material/Typography'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '@/api/client'
import type { ServerDetail } from '@/api/types'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { CopyButton } from '@/components/CopyButton'
import { agentConfiguration } from './agentConfiguration'
import { serverKeysQuery } from './queries'

export function NewKeyDialog({ server, onClose }: { server: ServerDetail; onClose: () => void }) {
  const queryClient = useQueryClient()
  const [label, setLabel] = useState('')
  const create = useMutation({
    mutationFn: () => answer(api.POST('/api/servers/{id}/keys', { params: { path: { id: server.id } }, body: { label: label.trim() } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: serverKeysQuery(server.id).queryKey }),
  })
  if (create.data) return <CreatedKey server={server.name} apiKey={create.data.key} onClose={onClose} />
  return (
    <ConfirmDialog
      open
      title={`New key for ${server.name}`}
      confirm="Create key"
      busy={create.isPending}
      error={create.error}
      onConfirm={() => create.mutate()}
      onClose={onClose}
    >
      <TextField
        autoFocus
        label="Label"
        value={label}
        onChange={(event) => setLabel(event.target.value)}
        helperText="What it is for, shown in the list; may be empty"
        slotProps={{ htmlInput: { maxLength: 100 } }}
      />
    </ConfirmDialog>
  )
}

/** The one time that the key is shown: the service keeps only its hash. */
function CreatedKey({ server, apiKey, onClose }: { server: string; apiKey: string; onClose: () => void }) {
  const configuration = agentConfiguration(location.origin, server, apiKey)
  return (
    <Dialog open maxWidth="sm" fullWidth slotProps={{ paper: { 'aria-label': 'The new key' } }}>
      <DialogTitle component="h2" sx={{ fontSize: '1.05rem' }}>
        The new key
      </DialogTitle>
      <DialogContent sx={{ display: 'grid', gap: 2 }}>
        <Alert severity="warning">Copy it now: it is shown this once.</Alert>
        <Block label="API key" text={apiKey} />
        <Box>
          <Typography variant="body2" sx={{ mb: 0.75 }}>
            Or paste this into the agent’s configuration, <code className="mono">/etc/openvpn-telemetry/agent.toml</code>:
          </Typography>
          <Block label="Agent configuration" text={configuration} />
        </Box>
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2 }}>
        <Button variant="contained" onClick={onClose}>
          I have copied it
        </Button>
      </DialogActions>
    </Dialog>
  )
}

function Block({ label, text }: { label: string; text: string }) {
  return (
    <Box sx={{ position: 'relative' }}>
      <Box
        component="pre"
        role="region"
        aria-label={label}
        tabIndex={0}
        className="mono"
        sx={{
          m: 0,
          p: 1.5,
          pr: 5,
          borderRadius: 1,
          bgcolor: 'ovt.neutralSoft',
          fontSize: '0.75rem',
          whiteSpace: 'pre-wrap',
          overflowWrap: 'anywhere',
        }}
      >
        {text}
      </Box>
      <Box sx={{ position: 'absolute', top: 4, right: 4 }}>
        <CopyButton text={text} what={label} />
      </Box>
    </Box>
  )
}
