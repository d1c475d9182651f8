package main

import (
	"example.com/pulumi-livekit-sip/sdk/go/livekitsip"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		stagingApiSecret := cfg.RequireSecret("stagingApiSecret")
		staging, err := livekitsip.NewProvider(ctx, "staging", &livekitsip.ProviderArgs{
			Url:       pulumi.String("wss://staging.livekit.cloud"),
			ApiKey:    pulumi.String("APIstaging"),
			ApiSecret: stagingApiSecret,
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewSipTrunk(ctx, "hotline", &livekitsip.SipTrunkArgs{
			Type: livekitsip.SipTrunkTypeDid,
			Numbers: pulumi.StringArray{
				pulumi.String("+12025550123"),
			},
			Direction: livekitsip.SipTrunkDirectionInbound,
			Country:   pulumi.String("US"),
		}, pulumi.Provider(staging))
		if err != nil {
			return err
		}
		return nil
	})
}
