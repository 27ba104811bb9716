select
    id as order_id,
    customer_id,
    store_id,
    {{ cents_to_euros('subtotal') }} as subtotal,
    {{ cents_to_euros('tax_paid') }} as tax_paid,
    {{ cents_to_euros('order_total') }} as order_total,
    cast(ordered_at as timestamp) as ordered_at
from {{ ref('raw_orders') }}
