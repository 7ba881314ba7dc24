// The types that Grafana generates of its schema, as the JSON of a dashboard that is written by hand is held to them: the
// kinds of panels that the shipped one has, each with its own options and no others.
import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import type * as stat from "@grafana/grafana-foundation-sdk/stat";
import type * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

// In JSON an enumeration is its value, and a method is nothing. What has a default in Grafana may be left out where Loose says so.
type Json<T, Loose = false> = T extends string ? `${T}` : T extends number | boolean | null ? T
  : T extends readonly (infer Item)[] ? Json<Item, Loose>[]
  : Loose extends true ? { [K in keyof T as T[K] extends Function ? never : K]?: Json<T[K], Loose> }
  : { [K in keyof T as T[K] extends Function ? never : K]: Json<T[K], Loose> };

type Panel<Type extends string, Options, Custom> = Json<Omit<dashboard.Panel, "type" | "options" | "fieldConfig" | "targets">> & {
  type: Type;
  id: number;
  title: string;
  gridPos: Json<dashboard.GridPos>;
  options: Json<Options, true>;
  fieldConfig: { defaults: Json<Omit<dashboard.FieldConfig, "custom">> & { custom?: Json<Custom, true> }; overrides: Json<dashboard.FieldConfigSource["overrides"]> };
  targets: (Json<Omit<Dataquery, "refId">> & { refId: string })[];
};

export type Dashboard = Json<Omit<dashboard.Dashboard, "panels">> & {
  uid: string;
  title: string;
  panels: (Panel<"stat", stat.Options, never> | Panel<"timeseries", timeseries.Options, timeseries.FieldConfig>)[];
};
