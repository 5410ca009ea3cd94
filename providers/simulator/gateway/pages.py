"""The cashier page a payer sees: plain HTML, one button, works without script and with a screen reader."""

from __future__ import annotations

from html import escape

from providers.simulator.gateway.book import SimOrder

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body{{font:18px/1.6 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1.5rem;color:#0b0c0c;background:#fff}}
table{{width:100%;border-collapse:collapse}}td,th{{text-align:left;padding:.4rem 0;border-bottom:1px solid #b1b4b6}}
td:last-child,th:last-child{{text-align:right}}button{{font:inherit;padding:.6rem 1.6rem;background:#00703c;color:#fff;
border:0}}button:focus{{outline:3px solid #fd0;outline-offset:2px}}.note{{border-left:6px solid #b1b4b6;
padding-left:1rem}}</style></head><body><main><h1>{title}</h1>{content}
<p class="note">这是模拟收银台，不会发生真实扣款。</p></main></body></html>"""


def cashier_page(order: SimOrder) -> str:
    """The page for one order, with the button while it can be paid."""
    rows = "".join(f"<tr><td>{escape(p.merchant_id)}</td><td>{_yuan(p.amount_fen)} 元</td></tr>" for p in order.parts)
    table = (
        f"<p>{escape(order.description)}</p><table><caption>应付 {_yuan(order.amount_fen)} 元</caption>"
        f"<thead><tr><th scope='col'>收款商户号</th><th scope='col'>金额</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    if order.state == "SUCCESS":
        return _PAGE.format(title="支付成功", content=table)
    if order.state == "CLOSED":
        return _PAGE.format(title="订单已关闭", content=table)
    form = f"<form method='post' action='/cashier/{escape(order.token)}'><button type='submit'>确认支付</button></form>"
    return _PAGE.format(title="确认支付", content=table + form)


def message_page(title: str, text: str) -> str:
    """A page that only says something."""
    return _PAGE.format(title=escape(title), content=f"<p>{escape(text)}</p>")


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"
