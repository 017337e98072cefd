import {
  CellStyleModule,
  ClientSideRowModelModule,
  ColumnApiModule,
  EventApiModule,
  ModuleRegistry,
  RenderApiModule,
  RowApiModule,
  RowSelectionModule,
  RowStyleModule,
  ScrollApiModule,
  TooltipModule,
  themeQuartz,
} from 'ag-grid-community'

// Every module that is used must be named: in production builds a missing one fails in silence.
ModuleRegistry.registerModules([
  CellStyleModule,
  ClientSideRowModelModule,
  ColumnApiModule,
  EventApiModule,
  RenderApiModule,
  RowApiModule,
  RowSelectionModule,
  RowStyleModule,
  ScrollApiModule,
  TooltipModule,
])

const variable = (name: string) => `var(--ovt-palette-ovt-${name})`

/** The grid in the portal's colours: CSS variables, so that both schemes need one theme only. */
export const gridTheme = themeQuartz.withParams({
  backgroundColor: variable('surface'),
  foregroundColor: variable('text'),
  textColor: variable('text'),
  headerBackgroundColor: variable('surface'),
  headerTextColor: variable('textMuted'),
  headerFontWeight: 560,
  accentColor: 'var(--ovt-palette-primary-main)',
  borderColor: variable('line'),
  rowHoverColor: variable('hover'),
  selectedRowBackgroundColor: variable('selected'),
  chromeBackgroundColor: variable('surface'),
  fontFamily: 'inherit',
  fontSize: 13,
  headerFontSize: 12,
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  columnBorder: false,
  headerColumnResizeHandleColor: variable('line'),
  cellHorizontalPadding: 12,
  iconSize: 14,
})
