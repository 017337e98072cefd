import { createTheme, type Theme } from '@mui/material/styles'
import { classes } from './classes'
import { dark, fontFamily, light, monospace, type SchemeTokens } from './tokens'

export type Density = 'comfortable' | 'compact'

declare module '@mui/material/styles' {
  interface Palette {
    ovt: SchemeTokens
  }
  interface PaletteOptions {
    ovt?: SchemeTokens
  }
}

function palette(tokens: SchemeTokens) {
  return {
    ovt: tokens,
    primary: { main: tokens.primary, dark: tokens.primaryHover, light: tokens.primaryHover, contrastText: tokens.onPrimary },
    secondary: { main: tokens.textMuted, contrastText: tokens.surface },
    success: { main: tokens.good, contrastText: tokens.surface },
    warning: { main: tokens.caution, contrastText: tokens.surface },
    error: { main: tokens.bad, contrastText: tokens.surface },
    info: { main: tokens.info, contrastText: tokens.surface },
    text: { primary: tokens.text, secondary: tokens.textMuted },
    background: { default: tokens.canvas, paper: tokens.surface },
    divider: tokens.line,
    action: { active: tokens.textMuted, hover: tokens.hover, selected: tokens.selected },
  }
}

const typography = {
  fontFamily,
  fontSize: 14,
  h1: { fontSize: '1.375rem', lineHeight: 1.3, fontWeight: 650, letterSpacing: '-0.015em' },
  h2: { fontSize: '0.9375rem', lineHeight: 1.4, fontWeight: 620, letterSpacing: '-0.005em' },
  h3: { fontSize: '0.875rem', lineHeight: 1.4, fontWeight: 600 },
  body1: { fontSize: '0.875rem', lineHeight: 1.5 },
  body2: { fontSize: '0.8125rem', lineHeight: 1.5 },
  caption: { fontSize: '0.75rem', lineHeight: 1.45 },
  button: { fontSize: '0.8125rem', fontWeight: 560, textTransform: 'none' },
} as const

/** The one theme: both schemes as CSS variables, chosen by `data-theme` of the root element. */
export function createPortalTheme(density: Density): Theme {
  const compact = density === 'compact'
  return createTheme({
    cssVariables: { colorSchemeSelector: 'data-theme', cssVarPrefix: 'ovt' },
    colorSchemes: { light: { palette: palette(light) }, dark: { palette: palette(dark) } },
    spacing: compact ? 6 : 8,
    shape: { borderRadius: 8 },
    typography,
    transitions: {
      duration: { shortest: 80, shorter: 120, short: 140, standard: 160, complex: 200, enteringScreen: 160, leavingScreen: 120 },
    },
    components: {
      MuiCssBaseline: { styleOverrides: baseline },
      MuiButtonBase: { defaultProps: { disableRipple: true }, styleOverrides: { root: { fontFamily: 'inherit', ...focusRing } } },
      MuiButton: {
        defaultProps: { disableElevation: true, size: 'small' },
        styleOverrides: {
          root: { minHeight: compact ? 28 : 34, paddingInline: 12 },
          outlined: { borderColor: 'var(--ovt-palette-ovt-lineStrong)' },
        },
      },
      MuiIconButton: { defaultProps: { size: 'small' } },
      MuiTextField: { defaultProps: { size: 'small' } },
      MuiFormControl: { defaultProps: { size: 'small' } },
      MuiOutlinedInput: {
        styleOverrides: {
          root: { backgroundColor: 'var(--ovt-palette-ovt-surface)' },
          notchedOutline: { borderColor: 'var(--ovt-palette-ovt-lineStrong)' },
          input: compact ? { paddingBlock: 5 } : {},
        },
      },
      MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: 'none' } } },
      MuiMenu: { defaultProps: { elevation: 0 }, styleOverrides: { paper: floating } },
      MuiPopover: { defaultProps: { elevation: 0 }, styleOverrides: { paper: floating } },
      MuiDialog: { defaultProps: { slotProps: { paper: { elevation: 0 } } }, styleOverrides: { paper: { ...floating, borderRadius: 12 } } },
      MuiMenuItem: { styleOverrides: { root: { fontSize: '0.8125rem', minHeight: compact ? 30 : 36 } } },
      MuiTooltip: {
        defaultProps: { enterDelay: 350, arrow: false },
        styleOverrides: { tooltip: { fontSize: '0.75rem', backgroundColor: '#1d2733', color: '#eef3f9', border: '1px solid #36445a' } },
      },
      MuiToggleButton: {
        styleOverrides: {
          root: {
            color: 'var(--ovt-palette-ovt-textMuted)',
            borderColor: 'var(--ovt-palette-ovt-lineStrong)',
            '&.Mui-selected, &.Mui-selected:hover': {
              color: 'var(--ovt-palette-primary-main)',
              backgroundColor: 'var(--ovt-palette-ovt-primarySoft)',
            },
          },
        },
      },
      MuiChip: { defaultProps: { size: 'small' } },
      MuiTab: { styleOverrides: { root: { minHeight: 40, paddingInline: 14, textTransform: 'none', fontSize: '0.8125rem' } } },
      MuiTabs: { styleOverrides: { root: { minHeight: 40 } } },
      MuiLink: { defaultProps: { underline: 'hover' } },
      MuiAlert: { styleOverrides: { root: { borderRadius: 8, paddingBlock: 2 } } },
      MuiTableCell: {
        styleOverrides: { root: { borderColor: 'var(--ovt-palette-ovt-line)', fontSize: '0.8125rem', paddingBlock: compact ? 4 : 8 } },
      },
    },
  })
}

const focusRing = {
  '&.Mui-focusVisible': { outline: '2px solid var(--ovt-palette-primary-main)', outlineOffset: 2 },
}

const floating = {
  backgroundColor: 'var(--ovt-palette-ovt-raised)',
  border: '1px solid var(--ovt-palette-ovt-line)',
  boxShadow: '0 8px 30px rgb(8 16 32 / 18%)',
}

const baseline = {
  html: { overflowY: 'scroll' },
  body: { fontFeatureSettings: "'cv05', 'ss03'", WebkitFontSmoothing: 'antialiased' },
  'a:focus-visible, [tabindex]:focus-visible': { outline: '2px solid var(--ovt-palette-primary-main)', outlineOffset: 2, borderRadius: 4 },
  ...classes,
  '.tabular': { fontVariantNumeric: 'tabular-nums' },
  '.mono': { fontFamily: monospace, fontSize: '0.93em' },
  '.visually-hidden': {
    position: 'absolute',
    width: 1,
    height: 1,
    margin: -1,
    padding: 0,
    overflow: 'hidden',
    clip: 'rect(0 0 0 0)',
    whiteSpace: 'nowrap',
    border: 0,
  },
  '@media (prefers-reduced-motion: reduce)': {
    '*, *::before, *::after': { animationDuration: '0.01ms !important', transitionDuration: '0.01ms !important' },
  },
} as const
