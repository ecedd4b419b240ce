"""The stylesheet of the report page, for the screen and for A4."""

STYLE = """
:root{--ink:#1c2420;--soft:#55605a;--line:#d9d8d0;--accent:#0b5d4b;--pale:#e3efe9;--paper:#fff}
*{box-sizing:border-box}
html{font:100%/1.5 "Segoe UI",Roboto,"Noto Sans",Arial,sans-serif;color:var(--ink);background:#f1f0eb}
body{margin:0 auto;max-width:58rem;background:var(--paper);padding:2.5rem 3rem;overflow-wrap:break-word}
h1{font-size:2.1rem;line-height:1.15;margin:.2rem 0}h2{font-size:1.45rem;margin:3rem 0 .6rem;color:var(--accent)}
h3{font-size:1.1rem;margin:2.2rem 0 .5rem}h4{font-size:1rem;margin:1.2rem 0 .3rem}p{margin:.5rem 0;max-width:44rem}
.front{border-top:.6rem solid var(--accent);padding-top:1.5rem}.soft{color:var(--soft)}
.heads{display:grid;grid-template-columns:13rem 1fr;gap:1.5rem;margin:1.8rem 0}
.grade{background:var(--accent);color:#fff;border-radius:.6rem;padding:1.1rem;text-align:center}
.grade b{display:block;font-size:4.2rem;line-height:1.1}
.front .note{margin-top:1.5rem}
.card{background:var(--pale);border-radius:.6rem;padding:1rem 1.3rem}.card h2{margin:0 0 .4rem;font-size:1.1rem}
.card ul{margin:.2rem 0;padding-left:1.2rem}.card svg{width:100%;height:auto}
.note{border-left:.3rem solid var(--accent);padding:.4rem 1rem;background:#f7f6f2;max-width:none}
table{border-collapse:collapse;width:100%;margin:.6rem 0 1rem;font-size:.95rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.28rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:middle}
thead>tr>*{border-bottom:2px solid var(--ink);vertical-align:bottom}td.n,th.n{text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums}tr.total>*{font-weight:700;border-top:2px solid var(--ink)}
.scroll{overflow-x:auto}svg{display:block;max-width:100%;height:auto}svg text{font:12px "Segoe UI",Arial,sans-serif}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;margin:.4rem 0;list-style:none;font-size:.9rem}
.legend i{display:inline-block;width:.9rem;height:.9rem;margin-right:.4rem;vertical-align:-.1rem}
.legend i.tick{width:3px;background:var(--ink);height:1.1rem}
.aspect{display:grid;grid-template-columns:15rem 1fr;gap:.2rem 1rem;align-items:center;margin:.3rem 0}
figure{margin:0;break-inside:avoid}figcaption{font-weight:600;font-size:1.1rem;margin:2.2rem 0 .5rem}
@media screen and (max-width:44rem){body{padding:1.2rem}.heads,.aspect{grid-template-columns:1fr}}
@page{size:A4;margin:18mm 16mm}
@media print{html{background:#fff;font-size:10pt}body{padding:0;max-width:none}h2,h3,figcaption{break-after:avoid}
.front{break-after:page}tr,.card,.aspect{break-inside:avoid}.scroll{overflow:visible}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
