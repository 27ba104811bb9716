with items as (

    select
        order_id,
        sum(supply_cost) as order_cost,
        sum(price) as items_subtotal,
        count(*) as items,
        count(*) filter (where is_food) as food_items,
        count(*) filter (where is_drink) as drink_items
    from {{ ref('order_items') }}
    group by order_id

)

select
    orders.*,
    items.order_cost,
    items.items_subtotal,
    items.items,
    items.food_items > 0 as is_food_order,
    items.drink_items > 0 as is_drink_order,
    row_number() over (partition by orders.customer_id order by orders.ordered_at) as customer_order_number
from {{ ref('stg_orders') }} as orders
left join items on orders.order_id = items.order_id
