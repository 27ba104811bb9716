with revenue as (
    select
        month,
        count(distinct country) as countries,
        cast(sum(sales) as bigint) as sales,
        cast(sum(gross_cents) as bigint) as gross_cents,
        cast(sum(revenue_cents) as bigint) as revenue_cents
    from {{ source('gold', 'monthly_revenue') }}
    group by month
),

risk as (
    select
        month,
        cast(sum(chargebacks) as bigint) as chargebacks,
        cast(sum(watched) as bigint) as watched,
        first(segment order by basis_points desc nulls last, segment) as riskiest_segment
    from {{ ref('segment_risk') }}
    group by month
)

select
    revenue.month,
    revenue.countries,
    revenue.sales,
    revenue.gross_cents,
    revenue.revenue_cents,
    {{ per_ten_thousand('revenue.revenue_cents', 'revenue.gross_cents') }} as take_basis_points,
    {{ per_ten_thousand(
        'revenue.revenue_cents - lag(revenue.revenue_cents) over (order by revenue.month)',
        'lag(revenue.revenue_cents) over (order by revenue.month)',
    ) }} as growth_basis_points,
    risk.chargebacks,
    risk.watched,
    risk.riskiest_segment
from revenue
join risk using (month)
order by revenue.month
