import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import { CopyButton } from '@/components/CopyButton'

/** Shown once: the service keeps only their hashes. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <Box sx={{ display: 'grid', gap: 1.5 }}>
      <Alert severity="success">
        Two-factor sign-in is on. Keep these recovery codes somewhere safe: each opens the door once when your phone is lost, and they are
        not shown again.
      </Alert>
      <Box
        component="ol"
        className="mono"
        sx={{
          listStyle: 'none',
          m: 0,
          p: 1.5,
          bgcolor: 'ovt.neutralSoft',
          borderRadius: 1,
          display: 'grid',
          gridTemplateColumns: 'repeat(auto-fill, minmax(150px, 1fr))',
          gap: 0.75,
        }}
      >
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </Box>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1 }}>
        <Button variant="contained" onClick={onDone}>
          I have kept them
        </Button>
        <CopyButton text={codes.join('\n')} what="recovery codes" />
      </Box>
    </Box>
  )
}
