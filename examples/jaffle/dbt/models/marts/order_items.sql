with costs as (

    select product_id, sum(cost) as supply_cost
    from {{ ref('stg_supplies') }}
    group by product_id

)

select
    items.item_id,
    items.order_id,
    items.product_id,
    orders.ordered_at,
    products.product_name,
    products.price,
    products.is_food,
    products.is_drink,
    costs.supply_cost
from {{ ref('stg_items') }} as items
left join {{ ref('stg_orders') }} as orders on items.order_id = orders.order_id
left join {{ ref('stg_products') }} as products on items.product_id = products.product_id
left join costs on items.product_id = costs.product_id
