package main

import (
	"example.com/pulumi-livekit-sip/sdk/go/livekitsip"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		receptionPassword := cfg.RequireSecret("receptionPassword")
		reception, err := livekitsip.NewSipTrunk(ctx, "reception", &livekitsip.SipTrunkArgs{
			Type:      livekitsip.SipTrunkTypeExtension,
			Extension: pulumi.String("1011"),
			Address:   pulumi.String("pbx.acme.com"),
			Password:  receptionPassword,
			Country:   pulumi.String("US"),
		})
		if err != nil {
			return err
		}
		receptionAuth, err := livekitsip.NewInboundAuth(ctx, "reception", &livekitsip.InboundAuthArgs{
			Trunk:  reception.Reference,
			Method: livekitsip.InboundAuthMethodCredentials,
		})
		if err != nil {
			return err
		}
		receptionRule, err := livekitsip.NewDispatchRule(ctx, "reception", &livekitsip.DispatchRuleArgs{
			Trunks: pulumi.StringArray{
				reception.Reference,
			},
			Rule: livekitsip.DispatchRuleKindIndividual,
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewTestCall(ctx, "reception-out", &livekitsip.TestCallArgs{
			Trunk:     reception.Reference,
			Direction: livekitsip.TestCallDirectionOutbound,
			To:        pulumi.String("+12025550100"),
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewTestCall(ctx, "reception-in", &livekitsip.TestCallArgs{
			Trunk:     reception.Reference,
			Direction: livekitsip.TestCallDirectionInbound,
		}, pulumi.DependsOn([]pulumi.Resource{
			receptionAuth,
			receptionRule,
		}))
		if err != nil {
			return err
		}
		return nil
	})
}
