/** Every colour of the portal. Text on its surface reaches WCAG AA (4.5:1) in both schemes; axe checks it on every page. */
export interface SchemeTokens {
  canvas: string
  surface: string
  raised: string
  line: string
  lineStrong: string
  text: string
  textMuted: string
  primary: string
  primaryHover: string
  onPrimary: string
  primarySoft: string
  good: string
  goodSoft: string
  caution: string
  cautionSoft: string
  bad: string
  badSoft: string
  info: string
  infoSoft: string
  neutralSoft: string
  hover: string
  selected: string
  shadow: string
  /** Lines and bars of charts, told apart also by people who see red and green alike. */
  series: [string, string, string, string, string, string]
}

export const light: SchemeTokens = {
  canvas: '#f5f7fa',
  surface: '#ffffff',
  raised: '#ffffff',
  line: '#e3e8ef',
  lineStrong: '#c9d2de',
  text: '#16202e',
  textMuted: '#556276',
  primary: '#1f5fd0',
  primaryHover: '#194fae',
  onPrimary: '#ffffff',
  primarySoft: '#e8f0fd',
  good: '#0f7043',
  goodSoft: '#e3f5eb',
  caution: '#8a5300',
  cautionSoft: '#fdf1dc',
  bad: '#b3261e',
  badSoft: '#fdeceb',
  info: '#0b6680',
  infoSoft: '#e2f4f8',
  neutralSoft: '#edf0f4',
  hover: '#f0f4f9',
  selected: '#e8f0fd',
  shadow: '0 1px 2px rgb(16 32 56 / 5%), 0 1px 6px rgb(16 32 56 / 4%)',
  series: ['#2f6fe0', '#12a08a', '#c98312', '#8a5bd6', '#d4527f', '#5b7083'],
}

export const dark: SchemeTokens = {
  canvas: '#0d1219',
  surface: '#141b24',
  raised: '#1b2430',
  line: '#232e3c',
  lineStrong: '#37455a',
  text: '#e6ecf4',
  textMuted: '#9dabbe',
  primary: '#7fabff',
  primaryHover: '#a3c3ff',
  onPrimary: '#0b1524',
  primarySoft: '#182a47',
  good: '#56cf94',
  goodSoft: '#12301f',
  caution: '#eab65a',
  cautionSoft: '#35270e',
  bad: '#ff8f86',
  badSoft: '#3b1a18',
  info: '#62c8e0',
  infoSoft: '#0f2d36',
  neutralSoft: '#222c39',
  hover: '#1a2330',
  selected: '#182a47',
  shadow: '0 1px 2px rgb(0 0 0 / 40%)',
  series: ['#6f9fff', '#3ecdb4', '#e5ad4f', '#b494f5', '#f086ac', '#93a6ba'],
}

export const fontFamily = "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif"
export const monospace = "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', monospace"
