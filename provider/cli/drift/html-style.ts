/** The page's style. Each pair of text and background reaches a contrast of 4.5 : 1 in both themes. */

const LIGHT = `
--bg:#f5f6f8;--panel:#fff;--ink:#171b21;--soft:#525b66;--line:#dde1e7;--strong-line:#828c99;--link:#0b57a4;--focus:#0b57a4;
--sync:#2f8f67;--sync-cell:#a9d3c0;--cell:#fff;
--open:#b3261e;--open-ink:#fff;--open-bg:#b3261e;
--rejected:#9a3b0a;--rejected-ink:#7f2f06;--rejected-bg:#fde9dc;
--credential:#8a5a00;--credential-ink:#684300;--credential-bg:#fbf0d3;
--routing:#4c4fa6;--routing-ink:#393c87;--routing-bg:#ebebfa;
--other:#6a7480;--other-ink:#414a55;--other-bg:#e9ecf0;
--failed:#3a424c;--del:#a3241c;--ins:#1d6b4a;--code:#f1f3f6;`;

const DARK = `
--bg:#0e1116;--panel:#171b21;--ink:#e7eaee;--soft:#a5aeba;--line:#2a3039;--strong-line:#6d7786;--link:#8dbcf5;--focus:#8dbcf5;
--sync:#58b891;--sync-cell:#2d5f4b;--cell:#171b21;
--open:#ff8078;--open-ink:#2a0503;--open-bg:#ff8078;
--rejected:#f3a06b;--rejected-ink:#f8b88f;--rejected-bg:#3b2315;
--credential:#dfb452;--credential-ink:#eac878;--credential-bg:#352b12;
--routing:#9ea3f0;--routing-ink:#bcc0f7;--routing-bg:#262850;
--other:#8e99a6;--other-ink:#bcc4cf;--other-bg:#272d36;
--failed:#c3cad3;--del:#ff9b94;--ins:#7fd0ab;--code:#10141a;`;

export const STYLE = `
:root{color-scheme:light;${LIGHT}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${DARK}}}
@media screen{:root[data-theme=dark]{color-scheme:dark;${DARK}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;background:var(--bg);color:var(--ink);font:1rem/1.5 -apple-system,"Segoe UI",Roboto,"Noto Sans",system-ui,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
body>header,main,body>footer{max-width:70rem;margin:0 auto;padding:0 1.5rem}
h1,h2,h3,h4,p,ul,dl,dd,figure{margin:0;padding:0}
ul{list-style:none}
h1{font-size:clamp(1.7rem,1.2rem + 2.4vw,2.6rem);line-height:1.15;letter-spacing:-.02em;font-weight:680;text-wrap:balance}
h2{font-size:1.15rem;line-height:1.3;font-weight:650;margin:0 0 .75rem}
h3{font-size:1rem;line-height:1.4;font-weight:620}
h4{font-size:.95rem;font-weight:620}
h2 .number{color:var(--soft);font-weight:500;margin-left:.15rem}
.quiet,.skip:not(:focus){position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip:focus{position:absolute;left:1rem;top:.5rem;background:var(--panel);padding:.5rem 1rem;z-index:2}
a{color:var(--link);text-underline-offset:.18em;text-decoration-thickness:.06em}
a:hover{text-decoration-thickness:.12em}
code,.plan,.path,.urn{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Roboto Mono","DejaVu Sans Mono",monospace;font-variant-numeric:tabular-nums slashed-zero;font-size:.88em}
.path>span{color:var(--soft);font-weight:400}
h3 .path{font-size:.95em}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px;border-radius:6px}
[tabindex="-1"]:focus-visible{outline-width:2px}
html:not(.has-script) .js{display:none}
.symbols{position:absolute;width:0;height:0}
.meta,.method,.legend{color:var(--soft);font-size:.9rem}

.bar{display:flex;justify-content:space-between;align-items:center;min-height:4rem}
.brand{font-weight:650;letter-spacing:.01em;color:var(--soft)}
.brand::before{content:"";display:inline-block;width:.62rem;height:.62rem;margin-right:.55rem;background:var(--soft);clip-path:polygon(50% 0,100% 100%,0 100%)}
button,select,input{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--strong-line);border-radius:8px;min-height:2.5rem;padding:.3rem .75rem}
button{cursor:pointer}
button:hover{border-color:var(--ink)}
.facts dt,.prints dt{font-size:.8rem;color:var(--soft)}
.method{margin-top:.8rem;max-width:46rem}
.method p+p{margin-top:.2rem}
.method b,.method time{color:var(--ink);font-weight:560}

main>section,#stacks{margin-top:2rem}
#stacks>section{margin-top:2rem}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:.75rem;margin-top:1.4rem}
.tile{background:var(--panel);border:1px solid var(--line);border-radius:12px}
.tile>a,.tile.none{display:flex;flex-wrap:wrap;align-items:baseline;column-gap:.6rem;padding:.6rem 1.1rem .65rem;color:inherit;text-decoration:none}
.tile>a:hover span{text-decoration:underline}
.tile b{font-size:1.8rem;line-height:1.2;font-weight:650;letter-spacing:-.02em}
.tile small{margin-left:auto;color:var(--soft);font-size:.85rem}
.tile.none{color:var(--soft)}
.tile.drifted b{color:var(--open)}
.tile.in-sync b{color:var(--sync)}

.strip{display:flex;flex-wrap:wrap;gap:3px;margin-top:1rem}
.strip i,.cell{display:block;width:var(--size);height:var(--size);border-radius:3px;background:var(--sync-cell);forced-color-adjust:none;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.strip.large{--size:14px;gap:4px}.strip.medium{--size:10px}.strip.small{--size:7px;gap:2px}
.strip.small i{border-radius:1.5px}
.strip .open,.cell.open{background:var(--open)}
.strip .rejected,.cell.rejected{background:linear-gradient(135deg,var(--rejected) 50%,var(--cell) 50%);box-shadow:inset 0 0 0 1.5px var(--rejected)}
.strip .credential,.cell.credential{background:linear-gradient(0deg,var(--credential) 50%,var(--cell) 50%);box-shadow:inset 0 0 0 1.5px var(--credential)}
.strip .routing,.cell.routing{background:linear-gradient(90deg,var(--routing) 50%,var(--cell) 50%);box-shadow:inset 0 0 0 1.5px var(--routing)}
.strip .other,.cell.other{background:radial-gradient(var(--other) 35%,var(--cell) 40%);box-shadow:inset 0 0 0 1.5px var(--other)}
.strip .failed,.cell.failed{background:repeating-linear-gradient(45deg,var(--failed) 0 2px,var(--cell) 2px 4px)}
.strip .not-checked,.cell.not-checked{background:none;box-shadow:inset 0 0 0 1.5px var(--strong-line)}
.has-script .strip i{cursor:pointer}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin-top:.9rem}
.legend li{display:flex;align-items:center;gap:.45rem}
.legend b{color:var(--ink);font-weight:620}
.cell{--size:12px;flex:none}

.badge{display:inline-block;border-radius:6px;padding:.1rem .5rem;font-size:.82rem;line-height:1.5;font-weight:600}
.badge.open{background:var(--open-bg);color:var(--open-ink)}
.badge.rejected{background:var(--rejected-bg);color:var(--rejected-ink)}
.badge.credential{background:var(--credential-bg);color:var(--credential-ink)}
.badge.routing{background:var(--routing-bg);color:var(--routing-ink)}
.badge.other{background:var(--other-bg);color:var(--other-ink)}
.new{color:var(--ink);font-weight:650}

.groups{display:grid;gap:.5rem}
.more>summary{cursor:pointer;width:max-content;padding:.5rem 0;color:var(--link)}
.groups>li,.rows>li,.cards>li{background:var(--panel);border:1px solid var(--line);border-radius:12px}
.groups summary{display:grid;grid-template-columns:1.1rem minmax(0,1fr) auto 16.5rem;gap:.2rem 1rem;align-items:center;padding:.55rem 1.1rem .55rem 1.6rem;cursor:pointer;list-style:none;border-radius:10px}
.groups .badge{order:1;justify-self:end}
.links{columns:17rem;column-gap:2rem;padding:0 1.1rem .8rem 3.7rem;font-size:.95rem;line-height:1.9}
.groups>li,.cards>li,.rows>.stack{position:relative}
.groups>li::before,.cards>li::before,.rows>.stack::before{content:"";position:absolute;left:.45rem;top:.7rem;bottom:.7rem;border-left:4px solid var(--bar);border-radius:2px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.groups>.open,.cards>.open{--bar:var(--open)}
.groups>.rejected,.cards>.rejected{--bar:var(--rejected)}
.groups>.credential,.cards>.credential{--bar:var(--credential)}
.groups>.routing,.cards>.routing{--bar:var(--routing)}
.groups>.other,.cards>.other{--bar:var(--other)}
.rows>.failed{--bar:var(--failed)}
.rows>.not-checked{--bar:var(--strong-line)}
.rows>.not-checked::before{border-left-style:dotted;border-radius:0}

.filters{display:grid;grid-template-columns:minmax(12rem,2fr) repeat(4,minmax(0,1fr));gap:.6rem .75rem;align-items:end;margin-bottom:1.75rem}
.filters label{display:block;font-size:.82rem;color:var(--soft);margin-bottom:.15rem}
.filters input,.filters select{width:100%;text-overflow:ellipsis}
.outcome{grid-column:1/-1;display:flex;flex-wrap:wrap;align-items:center;gap:.5rem .75rem}
.outcome output{margin-right:auto;color:var(--soft)}
#reset{visibility:hidden}
.filtered #reset{visibility:visible}

.cards{display:grid;gap:.6rem}
.cards summary{display:grid;grid-template-columns:1.1rem minmax(0,1fr) 9.5rem 6.5rem;gap:.2rem 1rem;align-items:center;padding:.8rem 1.1rem .8rem 1.6rem;cursor:pointer;list-style:none;border-radius:10px}
summary::-webkit-details-marker{display:none}
.cards summary::before{grid-row:1/3}
.cards summary::before,.groups summary::before{content:"";width:.5rem;height:.5rem;border:solid var(--soft);border-width:0 2px 2px 0;transform:rotate(-45deg);transition:transform .15s}
.cards details[open]>summary::before,.groups details[open]>summary::before{transform:rotate(45deg)}
.cards summary:hover,.groups summary:hover{background:color-mix(in srgb,var(--ink) 4%,transparent)}
.cards .what{grid-row:2;grid-column:2;color:var(--soft);font-size:.93rem}
.cards .badge{grid-row:1;grid-column:3/5;justify-self:end}
.cards .where{grid-row:2;grid-column:3;display:flex;align-items:center;gap:.35rem;font-size:.93rem}
.cards .since{grid-row:2;grid-column:4;text-align:right;color:var(--soft);font-size:.93rem}
.sign{width:1.55rem;height:1.45rem;flex:none}
.body{display:grid;grid-template-columns:16rem minmax(0,1fr);gap:1rem 2rem;padding:.4rem 1.4rem 1.3rem 3.7rem;border-radius:10px}
.triangle svg{display:block;width:100%;max-width:16rem;margin:0 auto}
.triangle figcaption{font-size:.9rem;color:var(--soft);margin-top:.3rem}
.findings{display:grid;gap:1.25rem;align-content:start}
.finding+.finding{border-top:1px solid var(--line);padding-top:1.1rem}
.problem{margin:.1rem 0 .6rem}
.prints{display:flex;flex-wrap:wrap;align-items:end;gap:.2rem .9rem;margin:0 0 .7rem}
.prints code{font-size:1.05rem;font-weight:600}
.prints .found{color:var(--del)}
.prints>div+div{padding-left:1.9rem;position:relative}
.prints>div+div::before{content:"≠"/"";position:absolute;left:0;bottom:0;font-size:1.2rem;line-height:1.6rem;color:var(--del)}
.plan,.command{background:var(--code);border:1px solid var(--line);border-radius:8px}
.plan{padding:.55rem .8rem;font-size:.86rem;line-height:1.55}
.plan li{padding-left:1.4rem;text-indent:-1.4rem}
.plan .tilde{color:var(--credential);font-weight:700}
.plan del{color:var(--del);text-decoration:none}
.plan ins{color:var(--ins);text-decoration:none}
.finding .meta{margin-top:.5rem}
.repair h4{margin-bottom:.35rem}
.repair p{max-width:38rem;margin-bottom:.5rem}
.command{display:flex;align-items:center;gap:.75rem;padding:.35rem .35rem .35rem .8rem;justify-content:space-between}
.copy{flex:none}
.facts{grid-column:1/-1;display:flex;flex-wrap:wrap;gap:.4rem 2.25rem;border-top:1px solid var(--line);padding-top:.9rem;font-size:.9rem}

.rows{display:grid;gap:.5rem}
.rows.short{grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr))}
.rows>li{padding:.75rem 1.1rem}
.rows p{font-size:.95rem}
.rows>.stack{padding-left:1.4rem}
.stacks>details>summary{cursor:pointer;width:max-content;padding:.35rem 0;color:var(--link)}
.names{columns:18rem;column-gap:2rem;font-size:.92rem;line-height:1.75;margin-top:.25rem}
.names li{break-inside:avoid}
.names .meta{font-size:.85rem;line-height:1.4;margin-bottom:.3rem}
body>footer{color:var(--soft);font-size:.85rem;padding-top:3rem;padding-bottom:3rem}
[hidden]{display:none!important}

symbol text{fill:var(--ink);font:500 14px -apple-system,"Segoe UI",Roboto,"Noto Sans",system-ui,sans-serif;text-anchor:middle}
.edge{fill:none;stroke:var(--strong-line);stroke-width:2}
.edge.differs{stroke:var(--open);stroke-width:3;stroke-dasharray:7 6}
.edge.unknown{stroke-dasharray:2 5}
.edge.calls{stroke:var(--line);stroke-width:2}
text.note{fill:var(--soft);font-size:11.5px;font-weight:400}
circle.mark{fill:var(--panel)}
path.mark{fill:none;stroke:var(--soft);stroke-width:1.8;stroke-linecap:round}
path.mark.differs{stroke:var(--open);stroke-width:2.2}
text.mark{font-size:15px;fill:var(--soft)}
.corner{fill:var(--panel);stroke:var(--strong-line);stroke-width:2}
.corner.differs{fill:var(--open-bg);stroke:var(--open)}
.corner.unknown{stroke-dasharray:3 4}
.check,.cross{fill:none;stroke:var(--sync);stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
.cross{stroke:var(--open-ink);stroke-width:3}
text.query{font-size:17px;fill:var(--soft)}
text.name.differs{font-weight:700;fill:var(--open)}
.outline{fill:none;stroke:var(--strong-line);stroke-width:1.2}
.dot{fill:var(--soft)}
.dot.unknown{fill:var(--panel);stroke:var(--soft)}
path.dot{fill:none;stroke:var(--open);stroke-width:2.4;stroke-linecap:round}

@media screen and (max-width:52rem){
body>header,main,body>footer{padding:0 1rem}
.tiles{grid-template-columns:repeat(2,1fr);gap:.5rem;margin-top:1.5rem}
.tile>a,.tile.none{padding:.6rem .9rem}
.tile b{font-size:1.5rem}
main>section,#stacks{margin-top:2rem}
.filters{display:grid;grid-template-columns:1fr 1fr}
.filters .wide{grid-column:1/-1}
.cards summary{grid-template-columns:1rem minmax(0,1fr) auto;padding:.75rem .9rem .75rem 1.3rem;gap:.3rem .6rem}
.cards summary::before{grid-row:1/2;align-self:start;margin-top:.5rem}
.cards h3{grid-column:2/4}
.cards .badge{grid-row:2;grid-column:2/4;justify-self:start}
.cards .what{grid-row:3;grid-column:2/4}
.cards .where{grid-row:4;grid-column:2}
.cards .since{grid-row:4;grid-column:3;min-width:0}
.groups summary{grid-template-columns:1rem minmax(0,1fr);padding:.75rem .9rem .75rem 1.3rem;gap:.3rem .6rem}
.groups summary::before{align-self:start;margin-top:.5rem}
.groups .meta{grid-column:2}
.groups .badge{grid-column:2;justify-self:start}
.links{padding:0 .9rem .8rem 2.9rem}
.body{grid-template-columns:minmax(0,1fr);padding:.25rem .9rem 1rem 1.3rem}
.triangle svg{max-width:14rem}
.command{flex-wrap:wrap;padding-right:.8rem;padding-bottom:.6rem}
.command .copy{width:100%}
}
@media (pointer:coarse){button,select,input{min-height:2.75rem}.cards summary{padding-top:.9rem;padding-bottom:.9rem}}
@media (prefers-reduced-motion:reduce){*,*::before{transition:none!important;scroll-behavior:auto!important}}
@page{margin:14mm}
@media print{
body{font-size:9.5pt;background:none}
body>header,main,body>footer{padding:0;max-width:none}
.js,.skip,.stacks>details>summary,.more>summary{display:none!important}
.cards summary::before,.groups summary::before{visibility:hidden}
.badge{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible!important;display:block!important;height:auto!important}
h2,summary,.finding h4,.repair h4{break-after:avoid}
.cards>li,.rows>li,.groups>li,.tile,.finding,.repair,.triangle,.strip{break-inside:avoid}
main>section,#stacks{margin-top:1.5rem}
.tiles{margin-top:1rem}
.cards,.rows,.groups{display:block}
.cards>li,.rows>li,.groups>li{margin-bottom:.5rem}
.body{grid-template-columns:12rem minmax(0,1fr)}
.names{columns:3}
a{color:inherit}
}
`;
