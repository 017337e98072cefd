import { zodResolver } from '@hookform/resolvers/zod'
import Alert from '@mui/material/Alert'
import Button from '@mui/material/Button'
import Dialog from '@mui/material/Dialog'
import DialogActions from '@mui/material/DialogActions'
import DialogContent from '@mui/material/DialogContent'
import DialogTitle from '@mui/material/DialogTitle'
import MenuItem from '@mui/material/MenuItem'
import TextField from '@mui/material/TextField'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { Controller, useForm } from 'react-hook-form'
import * as z from 'zod/mini'
import { answer, api } from '@/api/client'
import { Problem } from '@/api/problem'
import type { BusinessStatus, UserType, VpnUser, VpnUserDetail } from '@/api/types'
import { tell } from '@/components/Toasts'
import { businessStatuses, userTypes } from './view'

const schema = z.object({
  full_name: z.string().check(z.maxLength(255, 'At most 255 characters')),
  email: z.union([z.literal(''), z.email('Not an e-mail address')]),
  contact_no: z.string().check(z.maxLength(50, 'At most 50 characters')),
  user_type: z.string(),
  business_status: z.string(),
})

type Input = z.infer<typeof schema>

function inputOf(user: VpnUser): Input {
  return {
    full_name: user.full_name ?? '',
    email: user.email ?? '',
    contact_no: user.contact_no ?? '',
    user_type: user.user_type ?? '',
    business_status: user.business_status ?? '',
  }
}

/** What people say of a VPN user; everything else mirrors the VPN servers. Stays open, with what was typed, after an error. */
export function EditDialog({ user, onClose }: { user: VpnUserDetail; onClose: () => void }) {
  const id = useId()
  const client = useQueryClient()
  // The version that the form was filled from: what arrives meanwhile does not change what is being edited.
  const [basis, setBasis] = useState<VpnUser>(user)
  const { register, control, handleSubmit, reset, formState } = useForm<Input>({
    resolver: zodResolver(schema),
    defaultValues: inputOf(user),
  })
  const { errors } = formState
  const edit = useMutation({
    mutationFn: (input: Input) =>
      answer(
        api.PATCH('/api/vpn-users/{id}', {
          params: { path: { id: user.id } },
          body: {
            version: basis.version,
            full_name: input.full_name.trim() || null,
            email: input.email || null,
            contact_no: input.contact_no.trim() || null,
            user_type: (input.user_type || null) as UserType | null,
            business_status: (input.business_status || null) as BusinessStatus | null,
          },
        }),
      ),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['vpn-users'] })
      tell('The VPN user is saved.')
      onClose()
    },
  })
  const conflict = conflictOf(edit.error)
  const takeTheirs = () => {
    if (!conflict) return
    setBasis(conflict)
    reset(inputOf(conflict))
    edit.reset()
  }
  const keepMine = () => {
    if (!conflict) return
    setBasis(conflict)
    edit.reset()
  }
  return (
    <Dialog open onClose={edit.isPending ? undefined : onClose} aria-labelledby={id} maxWidth="xs" fullWidth>
      <form noValidate onSubmit={(event) => void handleSubmit((input) => edit.mutate(input))(event)}>
        <DialogTitle id={id} component="h2" sx={{ fontSize: '1.05rem', fontWeight: 620 }}>
          Edit {user.common_name}
        </DialogTitle>
        <DialogContent sx={{ display: 'grid', gap: 2, pt: '8px !important' }}>
          {conflict && (
            <Alert
              severity="warning"
              action={
                <>
                  <Button color="inherit" onClick={takeTheirs}>
                    Take theirs
                  </Button>
                  <Button color="inherit" onClick={keepMine}>
                    Keep mine
                  </Button>
                </>
              }
            >
              Somebody else has edited this VPN user meanwhile.
            </Alert>
          )}
          {edit.error && !conflict && <Alert severity="error">{edit.error.message}</Alert>}
          <TextField
            autoFocus
            label="Full name"
            {...register('full_name')}
            error={Boolean(errors.full_name)}
            helperText={errors.full_name?.message}
          />
          <TextField label="E-mail" type="email" {...register('email')} error={Boolean(errors.email)} helperText={errors.email?.message} />
          <TextField
            label="Contact number"
            {...register('contact_no')}
            error={Boolean(errors.contact_no)}
            helperText={errors.contact_no?.message}
          />
          <Controller name="user_type" control={control} render={({ field }) => <Choice label="Type" values={userTypes} {...field} />} />
          <Controller
            name="business_status"
            control={control}
            render={({ field }) => <Choice label="Business status" values={businessStatuses} {...field} />}
          />
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2 }}>
          <Button color="secondary" onClick={onClose} disabled={edit.isPending}>
            Cancel
          </Button>
          <Button type="submit" variant="contained" loading={edit.isPending} disabled={Boolean(conflict)}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

interface ChoiceProps {
  label: string
  values: readonly string[]
  value: string
  onChange: (event: { target: { value: string } }) => void
  name: string
  ref: React.Ref<HTMLInputElement>
}

function Choice({ label, values, ref, ...field }: ChoiceProps) {
  return (
    <TextField select label={label} inputRef={ref} {...field} slotProps={{ inputLabel: { shrink: true }, select: { displayEmpty: true } }}>
      <MenuItem value="">not said</MenuItem>
      {values.map((value) => (
        <MenuItem key={value} value={value}>
          {value}
        </MenuItem>
      ))}
    </TextField>
  )
}

/** The VPN user as it is now, when somebody was faster. */
function conflictOf(error: Error | null): VpnUser | undefined {
  if (!(error instanceof Problem) || error.error !== 'edit_conflict') return undefined
  return error.members.current as VpnUser | undefined
}
