"""The look of the page: two blues, orange for what binds or is broken; right on a phone and on A4."""

from __future__ import annotations

from allocator.report.colours import DEEP, FAMILY, INK, MUTED, RULE, WARN, WASH

CSS = f"""
*{{box-sizing:border-box}}
html{{scroll-behavior:smooth}}
body{{margin:0;background:#fff;color:{INK};font:15px/1.4 {FAMILY};
font-variant-numeric:tabular-nums;overflow-wrap:break-word}}
main{{max-width:1240px;margin:0 auto;padding:24px 28px}}
header{{display:flex;gap:28px;justify-content:space-between;align-items:flex-start;
border-bottom:3px solid {DEEP};padding-bottom:12px}}
h1{{font-size:26px;line-height:1.2;margin:0 0 4px}}
.sub{{margin:0;color:{MUTED}}}
.seal{{border:2px solid {DEEP};padding:7px 13px;flex:0 1 440px;font-size:14px}}
.seal p{{margin:0}}.seal p:first-child{{font-weight:700;font-size:16px;color:{DEEP}}}
.seal.open,.ask{{border-color:{WARN}}}.seal.open p:first-child{{color:{WARN}}}
.lead{{font-size:17px;margin:12px 0 8px}}
.ask{{margin:10px 0 14px;padding:2px 0 2px 12px;border-left:4px solid {WARN}}}
.ask p,.ask ul{{margin:0}}.ask ul{{padding-left:20px}}
.cards{{display:grid;grid-template-columns:repeat(5,1fr);gap:12px;margin:14px 0 18px}}
.card{{background:{WASH};padding:9px 12px;border-top:3px solid {DEEP}}}
.card.warn{{border-top-color:{WARN}}}
.card p{{margin:0;color:{MUTED};font-size:14px}}.card .big{{color:{INK};font-size:27px;font-weight:700;
line-height:1.2}}
.grid{{display:grid;grid-template-columns:repeat(12,1fr);gap:18px 28px;align-items:start}}
.third{{grid-column:span 4}}.half{{grid-column:span 6}}.whole{{grid-column:1/-1}}
section{{min-width:0}}
h2{{font-size:17px;margin:0 0 6px;border-bottom:1px solid {RULE};padding-bottom:4px;break-after:avoid}}
.annexes h2{{font-size:16px;margin-top:26px}}
h2 a{{float:right;font-weight:400;font-size:13px;color:{MUTED}}}
.part{{font-size:21px;margin:34px 0 0;border-bottom:3px solid {DEEP}}}
p{{margin:6px 0}}.note{{color:{MUTED};font-size:13.5px}}
ul{{margin:6px 0;padding-left:20px}}
a{{color:inherit;text-decoration:underline;text-decoration-color:#b4c2cf;text-decoration-thickness:1px;
text-underline-offset:3px}}
a:hover,a:focus{{text-decoration-color:{DEEP};color:{DEEP}}}
:target{{background:#fff7d6}}
svg{{display:block;font-family:inherit}}
.drawing svg{{width:100%;max-width:470px;height:auto}}.tall{{grid-row:span 2}}
table{{border-collapse:collapse;width:100%;font-size:14px}}
caption{{text-align:left;color:{MUTED};font-size:13.5px;padding:6px 0 2px}}
th{{font-weight:400;color:{MUTED};font-size:13px;vertical-align:bottom;line-height:1.2}}
th,td{{text-align:right;padding:4px 5px}}.t{{text-align:left}}td.t{{overflow-wrap:anywhere;min-width:6.5em}}
td.t:first-child{{min-width:5em}}
td a{{text-decoration:none}}td a:hover,td a:focus{{text-decoration:underline}}
th:first-child,td:first-child{{padding-left:0}}th:last-child,td:last-child{{padding-right:0}}
.half th:not(:first-child),.half td:not(:first-child){{padding-left:3px}}
.half th:not(:last-child),.half td:not(:last-child){{padding-right:3px}}
.half th.t:not(:first-child),.half td.t:not(:first-child){{padding-left:10px}}
.crowd th,.crowd td{{font-size:13px}}.half .crowd th:not(:first-child),.half .crowd td:not(:first-child)
{{padding-left:5px}}
.half .bars td.t:first-child{{min-width:9em}}
.half .long .b{{width:13%;min-width:56px}}
.half .long td.t:not(:first-child):not(:last-child){{min-width:7.6em}}
tbody tr,tfoot tr{{border-top:1px solid {RULE}}}tfoot tr{{border-top:2px solid {INK}}}
tfoot td,.s td{{font-weight:700}}
.n{{white-space:nowrap}}.w td,.w a{{color:{WARN};font-weight:600}}
td.t:last-child{{min-width:8em}}.bars td.t:last-child{{min-width:11em}}
.b{{width:26%;min-width:76px}}.b svg{{width:100%}}
.h td.n{{text-align:center}}.h td.t:first-child{{min-width:7.5em}}
data{{white-space:nowrap}}
pre{{font:12.5px/1.35 ui-monospace,"DejaVu Sans Mono",Consolas,monospace;background:{WASH};
padding:8px 10px;margin:6px 0;white-space:pre-wrap}}
code{{font:13px ui-monospace,"DejaVu Sans Mono",Consolas,monospace;background:{WASH};padding:0 3px}}
footer{{display:flex;justify-content:space-between;gap:28px;margin-top:20px;border-top:1px solid {RULE};
padding-top:8px;font-size:13.5px;color:{MUTED}}}
footer p{{margin:0 0 3px}}
.sign{{display:flex;gap:16px;align-items:flex-end;padding-top:26px}}.sign span{{width:112px;
border-top:1px solid {INK};text-align:center}}
@media screen and (max-width:1240px){{.third,.half{{grid-column:1/-1}}.tall{{grid-row:auto}}}}
@media screen and (max-width:820px){{
main{{padding:16px}}header,footer{{flex-direction:column;gap:10px}}.seal{{flex-basis:auto;width:100%}}
.cards{{grid-template-columns:1fr 1fr;gap:8px}}
.card .big{{font-size:23px}}
h1{{font-size:22px}}.lead{{font-size:16px}}.b{{width:30%;min-width:64px}}
}}
@media screen and (max-width:1200px){{
.stack thead{{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}
.stack tr{{display:grid;grid-template-columns:repeat(auto-fill,minmax(165px,1fr));padding:5px 0;gap:0 14px}}
.stack td,.half .stack td:not(:first-child){{display:block;text-align:right;padding:1px 0;min-width:0}}
.stack td,.stack td.n{{white-space:normal}}.stack td.n{{overflow-wrap:normal}}
.stack td.t:last-child,.half .stack td.t{{min-width:0}}
.half .stack td.b{{width:auto}}.half .stack td.t:not(:first-child){{padding-left:0}}
.stack tbody tr:first-child{{border-top:0}}
.stack td:empty{{display:none}}.stack td.b{{grid-column:1/-1;width:auto;order:9}}
.stack td::before{{content:attr(data-h);color:{MUTED};font-weight:400;font-size:13px;float:left;
margin-right:6px}}
.stack td:first-child{{grid-column:1/-1;font-weight:700;text-align:left}}
.stack td:first-child::before{{content:none}}
.stack.h tr{{grid-template-columns:repeat(auto-fill,minmax(130px,1fr))}}
.stack.h td.n:not(:first-child){{text-align:right;padding:1px 4px}}
.stack.h td::before{{color:inherit}}
}}
@media print{{
@page{{size:A4;margin:11mm 10mm}}
*{{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
main{{max-width:none;width:1156px;padding:0;zoom:.62}}a{{text-decoration:none}}h2 a{{display:none}}
.part{{break-before:page;margin-top:0}}.grid{{gap:10px 24px}}.cards{{margin:10px 0 12px}}
footer{{margin-top:12px}}
.card,tr,p,svg,.drawing,footer,.ask{{break-inside:avoid}}
th,td{{padding-top:2.5px;padding-bottom:2.5px}}
.annexes .stack{{font-size:12.5px}}.annexes .stack th{{font-size:12px}}
thead{{display:table-header-group}}caption,thead{{break-after:avoid}}
tfoot{{display:table-row-group}}
}}
""".strip()
