import { zodResolver } from '@hookform/resolvers/zod'
import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Checkbox from '@mui/material/Checkbox'
import Dialog from '@mui/material/Dialog'
import DialogActions from '@mui/material/DialogActions'
import DialogContent from '@mui/material/DialogContent'
import DialogTitle from '@mui/material/DialogTitle'
import FormControlLabel from '@mui/material/FormControlLabel'
import TextField from '@mui/material/TextField'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Controller, useForm } from 'react-hook-form'
import { z } from 'zod/mini'
import { answer, api } from '@/api/client'
import type { Server } from '@/api/types'
import { tell } from '@/components/Toasts'

const schema = z.object({
  name: z
    .string()
    .check(
      z.trim(),
      z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'Up to 63 letters, digits, dots, underscores and hyphens; the first a letter or digit'),
    ),
  description: z.string().check(z.trim(), z.maxLength(500, 'At most 500 characters')),
  duplicate_cn: z.boolean(),
})
type Input = z.infer<typeof schema>

interface ServerFormProps {
  /** The one that is edited; absent: a new one is registered. */
  server?: Server
  onClose: () => void
  onSaved: (server: Server) => void
}

function save(server: Server | undefined, { name, description, duplicate_cn }: Input): Promise<Server> {
  if (!server) return answer(api.POST('/api/servers', { body: { name, description, duplicate_cn } }))
  return answer(api.PUT('/api/servers/{id}', { params: { path: { id: server.id } }, body: { description, duplicate_cn } }))
}

export function ServerForm({ server, onClose, onSaved }: ServerFormProps) {
  const queryClient = useQueryClient()
  const defaultValues: Input = {
    name: server?.name ?? '',
    description: server?.description ?? '',
    duplicate_cn: server?.duplicate_cn ?? false,
  }
  const { register, handleSubmit, control, formState } = useForm<Input>({ resolver: zodResolver(schema), defaultValues })
  const mutation = useMutation({
    mutationFn: (input: Input) => save(server, input),
    onSuccess: async (saved) => {
      tell(server ? 'Saved' : `${saved.name} is registered`)
      await queryClient.invalidateQueries({ queryKey: ['servers'] })
      onSaved(saved)
    },
  })
  const { errors } = formState
  const title = server ? `Edit ${server.name}` : 'Register a VPN server'
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" slotProps={{ paper: { 'aria-label': title } }}>
      <Box component="form" noValidate onSubmit={(event) => void handleSubmit((input) => mutation.mutate(input))(event)}>
        <DialogTitle component="h2" sx={{ fontSize: '1.05rem' }}>
          {title}
        </DialogTitle>
        <DialogContent sx={{ display: 'grid', gap: 2, pt: '6px !important' }}>
          {mutation.error && <Alert severity="error">{mutation.error.message}</Alert>}
          <TextField
            label="Name"
            autoFocus={!server}
            disabled={Boolean(server)}
            spellCheck={false}
            {...register('name')}
            error={Boolean(errors.name)}
            helperText={errors.name?.message ?? 'The agent’s server_id; it stays'}
          />
          <TextField
            label="Description"
            multiline
            minRows={2}
            {...register('description')}
            error={Boolean(errors.description)}
            helperText={errors.description?.message}
          />
          <Controller
            control={control}
            name="duplicate_cn"
            render={({ field }) => (
              <FormControlLabel
                control={<Checkbox size="small" checked={field.value} onChange={(event) => field.onChange(event.target.checked)} />}
                label="Runs with duplicate-cn: one name may have several sessions at once"
                slotProps={{ typography: { variant: 'body2' } }}
              />
            )}
          />
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2 }}>
          <Button onClick={onClose} color="secondary">
            Cancel
          </Button>
          <Button type="submit" variant="contained" loading={mutation.isPending}>
            {server ? 'Save' : 'Register'}
          </Button>
        </DialogActions>
      </Box>
    </Dialog>
  )
}
