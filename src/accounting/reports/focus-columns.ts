/** The version of the FinOps Open Cost and Usage Specification that the columns follow (https://focus.finops.org). */
export const FOCUS_VERSION = '1.2';

export interface FocusColumn {
  readonly type: 'string' | 'decimal' | 'datetime' | 'json';
  /** Whether the specification allows an empty cell. */
  readonly nullable: boolean;
}

const text = { type: 'string', nullable: false } as const;
const optional = { type: 'string', nullable: true } as const;
const decimal = { type: 'decimal', nullable: false } as const;
const time = { type: 'datetime', nullable: false } as const;

/** All mandatory columns of FOCUS 1.2 and the conditional ones that a gateway can fill, then our own, which begin with `x_`. */
export const FOCUS_COLUMNS = {
  BilledCost: decimal,
  BillingAccountId: text,
  BillingAccountName: optional,
  BillingCurrency: text,
  BillingPeriodEnd: time,
  BillingPeriodStart: time,
  ChargeCategory: text,
  ChargeClass: optional,
  ChargeDescription: optional,
  ChargeFrequency: text,
  ChargePeriodEnd: time,
  ChargePeriodStart: time,
  ConsumedQuantity: { type: 'decimal', nullable: true },
  ConsumedUnit: optional,
  ContractedCost: decimal,
  EffectiveCost: decimal,
  InvoiceIssuerName: text,
  ListCost: decimal,
  PricingCategory: optional,
  PricingQuantity: { type: 'decimal', nullable: true },
  PricingUnit: optional,
  ProviderName: text,
  PublisherName: text,
  ResourceId: optional,
  ResourceName: optional,
  ResourceType: optional,
  ServiceCategory: text,
  ServiceName: text,
  ServiceSubcategory: optional,
  SkuId: optional,
  SkuMeter: optional,
  SubAccountId: optional,
  SubAccountName: optional,
  SubAccountType: optional,
  Tags: { type: 'json', nullable: true },
  x_Model: optional,
  x_Requests: decimal,
  x_EstimatedRequests: decimal,
} as const satisfies Readonly<Record<string, FocusColumn>>;

export type FocusColumnName = keyof typeof FOCUS_COLUMNS;
