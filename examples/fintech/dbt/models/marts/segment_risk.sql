select
    rate.month,
    industry.segment,
    count(distinct rate.merchant_id) as merchants,
    cast(sum(rate.sales) as bigint) as sales,
    cast(sum(rate.chargebacks) as bigint) as chargebacks,
    cast(sum(rate.chargeback_cents) as bigint) as chargeback_cents,
    {{ per_ten_thousand('sum(rate.chargebacks)', 'sum(rate.sales)') }} as basis_points,
    count(*) filter (where rate.watched) as watched
from {{ source('gold', 'chargeback_rate') }} as rate
join {{ source('silver', 'merchants') }} as merchant using (merchant_id)
left join {{ ref('industries') }} as industry using (category)
group by rate.month, industry.segment
order by rate.month, industry.segment
