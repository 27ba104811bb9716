select
    rate.merchant_id,
    merchant.name as merchant,
    merchant.country,
    industry.segment,
    count(*) as months_watched,
    min(rate.month) as first_month,
    max(rate.month) as last_month,
    round(max(rate.basis_points), 2) as worst_basis_points,
    cast(sum(rate.chargeback_cents) as bigint) as chargeback_cents
from {{ source('gold', 'chargeback_rate') }} as rate
join {{ source('silver', 'merchants') }} as merchant using (merchant_id)
left join {{ ref('industries') }} as industry using (category)
where rate.watched
group by rate.merchant_id, merchant.name, merchant.country, industry.segment
order by months_watched desc, worst_basis_points desc, rate.merchant_id
