/** What a word or a figure means for the one who looks: which colours it has. */
export const tones = {
  good: { text: 'good', back: 'goodSoft' },
  caution: { text: 'caution', back: 'cautionSoft' },
  bad: { text: 'bad', back: 'badSoft' },
  info: { text: 'info', back: 'infoSoft' },
  neutral: { text: 'textMuted', back: 'neutralSoft' },
} as const

export type Tone = keyof typeof tones
