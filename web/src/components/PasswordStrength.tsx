import Box from '@mui/material/Box'
import { Check, Circle } from 'lucide-react'
import { passwordRules, passwordStrength } from './passwordRules'

const words = ['', 'weak', 'fair', 'good', 'strong']
const colours = ['ovt.line', 'ovt.bad', 'ovt.caution', 'primary.main', 'ovt.good']

/** Which rules hold already, and how strong it looks. */
export function PasswordStrength({ password }: { password: string }) {
  const strength = passwordStrength(password)
  return (
    <Box sx={{ fontSize: '0.75rem', color: 'text.secondary' }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 0.5, mb: 0.75 }}>
        {[1, 2, 3, 4].map((step) => (
          <Box
            key={step}
            aria-hidden
            sx={{ flex: 1, height: 4, borderRadius: 2, bgcolor: step <= strength ? colours[strength] : 'ovt.neutralSoft' }}
          />
        ))}
        <Box role="status" sx={{ minWidth: 44, textAlign: 'right' }}>
          {words[strength]}
        </Box>
      </Box>
      <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, display: 'flex', flexWrap: 'wrap', columnGap: 1.5, rowGap: 0.25 }}>
        {passwordRules.map(({ text, holds }) => {
          const kept = holds(password)
          return (
            <Box
              component="li"
              key={text}
              sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.5, color: kept ? 'ovt.good' : 'inherit' }}
            >
              {kept ? <Check size={12} aria-label="done:" /> : <Circle size={9} aria-label="missing:" />}
              {text}
            </Box>
          )
        })}
      </Box>
    </Box>
  )
}
