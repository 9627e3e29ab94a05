/// How the page looks: on light and dark screens, narrow ones and paper.
enum WebStyle {
  /// The style sheet, which needs nothing from elsewhere.
  static let sheet = """
    :root{--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;\
    --panel:#f6f8fa;--good:#1a7f37;--bad:#b3261e;--band:#dfe3e8;\
    --t0:#0063a8;--t1:#b34700;--t2:#007a57;\
    --l0:#0b5394;--l1:#4f9ad1;--l2:#8a63b8;--l3:#d98a1f;--l4:#3d8f72;--l5:#aab2bb;--l6:#c2413b;--l7:#2b7a9e;\
    --h1:#eef4fa;--h2:#d6e4f2;--h3:#fbe8c8;--h4:#f7cfa5}
    @media(prefers-color-scheme:dark){:root{--ground:#0f1318;--ink:#e6e9ed;--soft:#9da7b3;\
    --line:#343b44;--panel:#181d24;--good:#4cc26a;--bad:#ff8a80;--band:#2b323b;\
    --t0:#5db4f5;--t1:#ffa45c;--t2:#3fd0a0;\
    --l0:#5a9be0;--l1:#9ccbf2;--l2:#b99be0;--l3:#f0b252;--l4:#5fc29f;--l5:#6b7580;--l6:#ff8a80;--l7:#6fc3e6;\
    --h1:#17222e;--h2:#1d3247;--h3:#43340f;--h4:#5a3413}}
    *{box-sizing:border-box}
    html{scroll-behavior:smooth}
    body{margin:0 auto;max-width:76rem;padding:1.5rem 1rem 4rem;background:var(--ground);\
    color:var(--ink);font:16px/1.5 system-ui,"DejaVu Sans",sans-serif}
    h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}
    h2{font-size:1.25rem;margin:2.5rem 0 .5rem;padding-top:.5rem;border-top:2px solid var(--line)}
    h3{font-size:1rem;margin:1.5rem 0 .25rem}
    p{margin:.5rem 0;max-width:50rem}
    a{color:var(--t0)}
    .soft{color:var(--soft)}
    .use{font-weight:400}
    .good{color:var(--good)}.bad{color:var(--bad)}
    nav ul,.strip{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;margin:.75rem 0;padding:0}
    nav a,.strip li{display:inline-block;border:1px solid var(--line);border-radius:.4rem;\
    padding:.15rem .6rem;background:var(--panel)}
    .scroll{overflow-x:auto;margin:.75rem 0;\
    background:linear-gradient(90deg,var(--ground) 40%,transparent) 0/3rem 100% no-repeat local,\
    linear-gradient(270deg,var(--ground) 40%,transparent) 100%/3rem 100% no-repeat local,\
    linear-gradient(90deg,var(--line),transparent) 0/1rem 100% no-repeat scroll,\
    linear-gradient(270deg,var(--line),transparent) 100%/1rem 100% no-repeat scroll,var(--ground)}
    table:has(thead th:nth-child(6)) :is(th,td){padding:.3rem .4rem;font-size:.8rem}
    table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
    th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
    thead th{background:var(--panel);white-space:nowrap}
    tbody th{font-weight:600;white-space:nowrap}
    .name{white-space:nowrap}.answer tbody th{white-space:normal}
    td.n,th.n{text-align:right;white-space:nowrap}
    td.h1{background:var(--h1)}td.h2{background:var(--h2)}\
    td.h3{background:var(--h3)}td.h4{background:var(--h4)}
    td small{color:var(--soft);display:block}td.h3 small,td.h4 small{color:var(--ink)}
    .answer td:first-of-type{font-size:1rem}
    svg.mark{width:.9em;height:.9em;margin-right:.3em;vertical-align:-.08em;flex:none}
    .named{display:inline-flex;align-items:baseline}.named svg.mark{transform:translateY(.1em)}
    .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.5rem}
    figure{margin:.5rem 0;min-width:0}
    figcaption{font-weight:600;font-size:.95rem}
    figcaption small{display:block;font-weight:400;color:var(--soft)}
    figure>svg{display:block;width:100%;max-width:36rem;height:auto}
    .legend{display:flex;flex-wrap:wrap;gap:.1rem 1rem;list-style:none;margin:.3rem 0;padding:0;\
    font-size:.85rem}
    svg.wide{width:2.25em}
    th[scope=row]{position:sticky;left:0;background:var(--ground)}
    ul.plain{list-style:none;padding:0}
    details{margin:.4rem 0}
    summary{cursor:pointer;color:var(--soft);font-size:.9rem}
    pre{background:var(--panel);border:1px solid var(--line);padding:.75rem;overflow-x:auto;\
    white-space:pre-wrap;overflow-wrap:anywhere}
    text{font:13px system-ui,"DejaVu Sans",sans-serif;fill:var(--ink)}
    text.s{fill:var(--soft);font-size:12px}text.b{font-weight:600}
    .grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}
    .equal{fill:var(--band)}
    .c0{--c:var(--t0)}.c1{--c:var(--t1)}.c2{--c:var(--t2)}
    .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
    .d1{stroke-dasharray:7 4}.d2{stroke-dasharray:2 3}.d3{stroke-dasharray:9 3 2 3}\
    .d4{stroke-dasharray:1 5}
    .cell{fill:var(--panel);stroke:var(--line)}
    .guide{fill:none;stroke:var(--soft);stroke-width:1.5}
    .area{fill:var(--c);opacity:.18}
    .dot{fill:var(--c);stroke:var(--ground);stroke-width:1}
    .open{fill:var(--ground);stroke:var(--c);stroke-width:2}
    .l0{--c:var(--l0)}.l1{--c:var(--l1)}.l2{--c:var(--l2)}.l3{--c:var(--l3)}\
    .l4{--c:var(--l4)}.l5{--c:var(--l5)}.l6{--c:var(--l6)}.l7{--c:var(--l7)}
    .bar{fill:var(--c);stroke:var(--ground);stroke-width:1}
    @media(max-width:40rem){body{padding:1rem .75rem 3rem}th,td{padding:.3rem .45rem}\
    tbody th{white-space:normal;max-width:8.5rem}\
    .answer thead{display:none}.answer table,.answer tbody,.answer tr{display:block}\
    .answer tr{border-bottom:1px solid var(--line);padding:.5rem 0}\
    .answer td:first-of-type{font-size:.875rem}.answer th,.answer td{position:static;display:block;border:0;padding:.1rem 0;white-space:normal;max-width:none}\
    .answer td::before{content:attr(data-name) ": ";color:var(--soft);font-weight:400}}
    @media print{body{max-width:none;padding:0;font-size:10pt}\
    nav{display:none}tr,li,svg,figcaption{break-inside:avoid}h2,h3,figcaption,.legend,summary,caption{break-after:avoid}\
    .charts{display:block}figure{margin:1rem 0}figure>svg{max-width:12cm;max-height:20cm}\
    table{font-size:7.5pt}th,td{padding:.15rem .3rem}.scroll{overflow:visible;background:none}\
    .answer td:first-of-type{font-size:inherit}th[scope=row]{position:static}\
    figure th,figure td,figure td.n,figure th.n{white-space:normal}\
    details::details-content{content-visibility:visible;display:block;height:auto}}
    """
}
