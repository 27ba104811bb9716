-- A dispute comes weeks after its sale, so that every month still gets some of those before it.
select
    dispute.payment_id,
    dispute.merchant_id,
    dispute.source_day as disputed_on,
    sale.occurred_on as sold_on,
    date_diff('day', sale.occurred_on, dispute.source_day) as days_until,
    dispute.eur_cents as disputed_cents,
    sale.eur_cents as sale_cents
from {{ source('silver', 'payments') }} as dispute
left join {{ source('silver', 'payments') }} as sale
    on sale.payment_id = dispute.original_payment_id
where dispute.kind = 'chargeback'
order by disputed_on, payment_id
